package org.xfrmbridge.daemon.attach;

import java.util.Arrays;
import java.util.Collection;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.nft.CoveredDevice;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.StackSigns;
import org.xfrmbridge.daemon.route.ArrivalFilters;
import org.xfrmbridge.daemon.route.RouteSocket;

/**
 * The devices that what was opened can come in by, beside the TAP: what comes out of that is sent back to it, where
 * filters of tc have it come in by another. Control thread, but for {@link #contain}.
 */
final class StackArrivals {
    private static final Logger LOG = LoggerFactory.getLogger(StackArrivals.class);

    private final ArrivalFilters filters;
    /** Their indexes, sorted. */
    private volatile int[] there = {};

    private boolean isSaid;

    StackArrivals(RouteSocket socket) {
        filters = new ArrivalFilters(socket, StackSigns.ARRIVAL_MAC);
    }

    /** Any thread. */
    boolean contain(int ifindex) {
        return Arrays.binarySearch(there, ifindex) >= 0;
    }

    /**
     * Whatever the kernel lacks of this: all that is opened comes in by the TAP then. A VRF has a way of its own.
     *
     * @param all that packets may leave the host by
     * @param anew if one may have come in the place of another of the same number, whose filter leads nowhere
     */
    void keep(int tapIndex, Collection<CoveredDevice> all, boolean anew) {
        Set<Integer> devices = all.stream()
                .filter(device -> device.vrfMac() == 0)
                .map(CoveredDevice::index)
                .collect(Collectors.toUnmodifiableSet());
        try {
            Set<Integer> now = filters.of(tapIndex);
            if (anew || !now.equals(devices)) {
                there = new int[0];
                write(tapIndex, now, devices, anew);
            }
            there = devices.stream().mapToInt(Integer::intValue).sorted().toArray();
        } catch (OsException e) {
            there = new int[0];
            say(e);
        }
    }

    private void write(int tapIndex, Set<Integer> now, Set<Integer> devices, boolean anew) throws OsException {
        if (anew || now.isEmpty() || !devices.containsAll(now)) {
            filters.replace(tapIndex, devices);
            return;
        }
        for (int index : devices) {
            if (!now.contains(index)) {
                filters.add(tapIndex, index);
            }
        }
    }

    private void say(OsException reason) {
        if (!isSaid) {
            isSaid = true;
            LOG.warn(sentence(reason));
        }
    }

    private static String sentence(OsException reason) {
        return ("what comes protected for groups, for link-local addresses, or for sockets bound to an interface does "
                        + "not get there, for want of filters of tc (%s): load the modules sch_ingress, cls_u32 and "
                        + "act_mirred")
                .formatted(reason.getMessage());
    }

    /** Why a kernel cannot, tried with a device that is there; null if it can. */
    static String fault(RouteSocket socket, int index) {
        try {
            new ArrivalFilters(socket, StackSigns.ARRIVAL_MAC).replace(index, Set.of(index));
            return null;
        } catch (OsException e) {
            return sentence(e);
        }
    }
}
