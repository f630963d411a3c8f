package org.xfrmbridge.datapath;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.xfrmbridge.xfrm.Flow;

/**
 * What all datapath threads show of their packets: the latest drops, always, and everything that somebody watches. Any
 * thread.
 */
public final class PacketLog {
    /** How many drops are remembered. */
    public static final int KEPT_DROPS = 1000;

    private static final PacketWatch[] NOBODY = {};

    private final List<PacketSight> sights = new CopyOnWriteArrayList<>();
    private volatile PacketWatch[] watches = NOBODY;
    private volatile PacketSampler sampler;

    /** One more thread's, which decodes packets into that flow. */
    PacketSight newSight(Flow flow) {
        PacketSight sight = new PacketSight(this, flow);
        sights.add(sight);
        return sight;
    }

    PacketWatch[] watches() {
        return watches;
    }

    PacketSampler sampler() {
        return sampler;
    }

    /** From the next batch of each thread on. @param wanted null for nobody any more */
    public void setSampler(PacketSampler wanted) {
        sampler = wanted;
    }

    /** The latest drops, the oldest first. */
    public List<PacketRecord> latestDrops() {
        List<PacketRecord> drops = new ArrayList<>();
        sights.forEach(sight -> sight.addDropsTo(drops));
        drops.sort(Comparator.comparingLong(PacketRecord::timeNs));
        return drops.subList(Math.max(0, drops.size() - KEPT_DROPS), drops.size());
    }

    /** How many drops were not looked at, as there were more than {@value PacketSight#MOST_PER_SECOND} in a second. */
    public long unseenDrops() {
        return sights.stream().mapToLong(PacketSight::unseenDrops).sum();
    }

    /** From the next batch of each thread on. */
    public synchronized void add(PacketWatch watch) {
        List<PacketWatch> more = new ArrayList<>(List.of(watches));
        more.add(watch);
        watches = more.toArray(NOBODY);
    }

    public synchronized void remove(PacketWatch watch) {
        List<PacketWatch> fewer = new ArrayList<>(List.of(watches));
        fewer.remove(watch);
        watches = fewer.toArray(NOBODY);
    }
}
