package org.xfrmbridge.daemon.web;

import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.Set;
import org.xfrmbridge.daemon.figures.Figures;
import org.xfrmbridge.daemon.web.Families.Family;

/**
 * {@link Figures} as metrics. The {@value #MOST_TUNNELS} tunnels and {@value #MOST_SAS} SAs with the most bytes have
 * series of their own.
 */
final class FiguresCollector {
    static final int MOST_SAS = 20;

    static final int MOST_TUNNELS = 100;

    /** What a direction does with a packet, as its counters are named. */
    private static final Set<String> VERDICTS = Set.of("passed", "protected", "dropped", "not_ip", "consumed");

    private static final String DIRECTION = "direction";

    private FiguresCollector() {}

    static MetricSnapshots collect(Figures figures) {
        Families families = new Families();
        addDatapath(families, figures);
        addTunnels(families, figures);
        addSas(families, figures);
        addControl(families, figures);
        return families.build();
    }

    private static void addDatapath(Families families, Figures figures) {
        families.counter("packets", "Frames taken from a port, IP or not.", both(figures, "packets"))
                .counter("bytes", "Their bytes, link headers included.", both(figures, "bytes"))
                .counter("verdicts", "What became of packets.", verdicts(figures))
                .counter("missed", "Frames that came faster than they were taken.", both(figures, "missed"))
                .counter("fragments", "Fragments taken into the reassembly.", both(figures, "fragments"))
                .counter("lookups", "Questions to tables that all flows or SAs share.", both(figures, "lookups"))
                .counter("bundles_made", "Ways through SAs made for flows.", both(figures, "bundles_made"))
                .counter("handed_over", "Packets that one thread gave another.", both(figures, "handed_over"))
                .gauge("flow_entries", "Flows that are remembered.", both(figures, "flow_entries"))
                .gauge("lookups_per_packet", "Lookups per packet since the start.", figures.lookupsPerPacket());
        Family drops = new Family();
        figures.drops().forEach((reason, count) -> drops.put(count, "reason", reason));
        families.counter("drops", "Packets dropped, by their name in /proc/net/xfrm_stat.", drops);
    }

    private static Family both(Figures figures, String counter) {
        return new Family()
                .put(figures.outbound().get(counter), DIRECTION, "out")
                .put(figures.inbound().get(counter), DIRECTION, "in");
    }

    private static Family verdicts(Figures figures) {
        Family family = new Family();
        for (String verdict : VERDICTS) {
            family.put(figures.outbound().get(verdict), DIRECTION, "out", "verdict", verdict);
            family.put(figures.inbound().get(verdict), DIRECTION, "in", "verdict", verdict);
        }
        return family;
    }

    private static void addTunnels(Families families, Figures figures) {
        Family bytes = new Family();
        Family packets = new Family();
        Family sas = new Family();
        for (Figures.Tunnel tunnel : figures.tunnels()
                .subList(0, Math.min(MOST_TUNNELS, figures.tunnels().size()))) {
            String[] labels = {
                "source", tunnel.source(),
                "destination", tunnel.destination(),
                "protocol", tunnel.protocol(),
                "reqid", Long.toString(tunnel.reqid())
            };
            bytes.put(tunnel.bytes(), labels);
            packets.put(tunnel.packets(), labels);
            sas.put(tunnel.sas(), labels);
        }
        families.counter("tunnel_bytes", "Bytes by ends, protocol and reqid, over all rekeying.", bytes)
                .counter("tunnel_packets", "Packets by ends, protocol and reqid, over all rekeying.", packets)
                .gauge("tunnel_sas", "Valid SAs of those ends, protocol and reqid.", sas);
    }

    private static void addSas(Families families, Figures figures) {
        Family phases = new Family().put(0, "phase", "valid").put(0, "phase", "dying");
        figures.saPhases().forEach((phase, count) -> phases.put(count, "phase", phase));
        Family bytes = new Family();
        Family packets = new Family();
        Family forged = new Family();
        Family left = new Family();
        long otherBytes = figures.otherSas().bytes();
        long others = figures.otherSas().count();
        for (int i = 0; i < figures.sas().size(); i++) {
            Figures.Sa sa = figures.sas().get(i);
            if (i >= MOST_SAS) {
                otherBytes += sa.bytes();
                others++;
                continue;
            }
            String[] labels = labels(sa);
            bytes.put(sa.bytes(), labels);
            packets.put(sa.packets(), labels);
            forged.put(sa.integrityFailures(), labels);
            if (sa.left().seconds() != null) {
                left.put(sa.left().seconds(), labels);
            }
        }
        families.gauge("sas", "SAs by phase.", phases)
                .gauge(
                        "sas_without_successor",
                        "SAs that have reached a soft limit and have none in their place.",
                        figures.withoutSuccessor())
                .counter("sa_bytes", "Bytes that the busiest SAs have carried.", bytes)
                .counter("sa_packets", "Packets that the busiest SAs have carried.", packets)
                .counter("sa_integrity_failures", "Packets of the busiest SAs with a wrong ICV.", forged)
                .gauge("sa_left_seconds", "Time until the hard limit of the busiest SAs.", left)
                .gauge("other_sas", "SAs without series of their own.", others)
                .gauge("other_sas_bytes", "What those have carried that are there now.", otherBytes);
    }

    private static String[] labels(Figures.Sa sa) {
        return new String[] {
            "source", sa.source(),
            "destination", sa.destination(),
            "spi", sa.spi(),
            "protocol", sa.protocol(),
            "reqid", Long.toString(sa.reqid())
        };
    }

    private static void addControl(Families families, Figures figures) {
        Family policies = new Family();
        figures.policyCounts().forEach((name, count) -> {
            String of = name.startsWith("socket_") ? "sockets" : "all";
            String direction = name.substring(name.indexOf('_') + 1);
            policies.put(count, DIRECTION, direction, "of", of);
        });
        Family clients = new Family();
        Family waiting = new Family();
        Family lost = new Family();
        figures.clients().forEach((name, load) -> {
            clients.put(load.count(), "interface", name);
            waiting.put(load.waitingBytes(), "interface", name);
            lost.put(load.lostEvents(), "interface", name);
        });
        Family threads = new Family();
        figures.threadCpuSeconds().forEach((thread, seconds) -> threads.put(seconds, "thread", thread));
        families.gauge("policies", "Policies of all traffic, and of sockets.", policies)
                .gauge("acquires_open", "SAs that packets wait for.", figures.openAcquires())
                .gauge("events_waiting", "Events that wait for the control thread.", figures.waitingEvents())
                .gauge("clients", "Clients with rights.", clients)
                .gauge("clients_waiting_bytes", "What clients have not taken yet.", waiting)
                .counter("client_events_lost", "Events that clients did not get, as they do not read.", lost)
                .counter("thread_cpu_seconds", "Processor time, by thread.", threads)
                .counter("gc", "Collections of memory.", new Family().put(figures.collections()))
                .counter("gc_pause_seconds", "Time of collections.", new Family().put(figures.collectionSeconds()))
                .gauge("uptime_seconds", "Time since the start.", figures.uptimeMs() / 1000.0);
    }
}
