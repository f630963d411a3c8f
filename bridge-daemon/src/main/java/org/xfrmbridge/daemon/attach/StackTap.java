package org.xfrmbridge.daemon.attach;

import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.TapDevice;
import org.xfrmbridge.daemon.route.AddressMessage;
import org.xfrmbridge.daemon.route.Link;
import org.xfrmbridge.daemon.route.Links;
import org.xfrmbridge.daemon.route.Netconf;
import org.xfrmbridge.daemon.route.RouteMessage;
import org.xfrmbridge.daemon.route.RouteSocket;
import org.xfrmbridge.xfrm.Address;

/**
 * The TAP where the host's stack meets the datapath, and its settings: no neighbours, no addresses that anybody would
 * use, and whatever came out of it is taken in. All by rtnetlink, as /proc/sys may be read-only. Control thread.
 */
final class StackTap implements AutoCloseable {
    /** What a TAP takes: packets are cut by who knows their way, which is the datapath. */
    private static final int MTU_BYTES = 65_521;

    /** Packets, each up to 64 KB, that may wait while the reader has no core. */
    private static final int QUEUE_FRAMES = 1000;

    /**
     * A kernel that checks sources by their reverse path takes nothing in where it has no address. Of a scope in which
     * it is nobody's source.
     */
    private static final Address ADDRESS = Address.parse("169.254.88.70");

    private final Links links;
    private final RouteSocket socket;
    private final TapDevice device;
    private Link link;
    private boolean hostForwards;

    StackTap(String name, TapDevice.Offload offload, int queues, Links links, RouteSocket socket) throws OsException {
        this.links = links;
        this.socket = socket;
        device = TapDevice.open(name, offload, queues);
        link = links.find(name);
        links.setAddressGeneration(link.index(), Link.NO_GENERATED_ADDRESS);
        links.setQueueLength(link.index(), QUEUE_FRAMES);
        settle();
        keepOpen();
    }

    /** Whether the host forwards what comes in by any device, as it was found when this was made, or kept. */
    boolean hostForwards() {
        return hostForwards;
    }

    TapDevice device() {
        return device;
    }

    /** As it was when it was made. */
    Link link() {
        return link;
    }

    /**
     * Makes the device what it has to be again, if somebody has changed it or taken it away.
     *
     * @return whether somebody had
     */
    boolean keep() throws OsException {
        Link now = links.find(link.name());
        boolean isRight = now != null && now.index() == link.index() && isSettled(now);
        if (!isRight) {
            if (now == null && !isRenamed() || now != null && now.index() != link.index()) {
                device.makeAgain(link.index());
                links.setMac(link.index(), link.mac());
                links.setAddressGeneration(link.index(), Link.NO_GENERATED_ADDRESS);
            }
            settle();
        }
        keepOpen();
        return !isRight;
    }

    /** Whether it was there under another name; it has its own again. */
    private boolean isRenamed() throws OsException {
        Link other = links.find(link.index());
        boolean renamed = other != null && other.mac() == link.mac();
        if (renamed) {
            links.rename(link.index(), link.name());
        }
        return renamed;
    }

    /** Whether an event tells that the device has lost its address. */
    static boolean concerns(RouteMessage event) {
        return event.type() == RouteMessage.DELETE_ADDRESS
                && new AddressMessage(event).local().equals(ADDRESS);
    }

    private boolean isSettled(Link now) {
        return now.isUp()
                && now.isWithoutArp()
                && now.mtuBytes() == MTU_BYTES
                && now.mac() == link.mac()
                && now.master() == 0;
    }

    /** A bridge that it was made a port of, as by a network manager, would have what is opened. */
    private void settle() throws OsException {
        links.removeMaster(link.index());
        links.disableArp(link.index());
        links.setMac(link.index(), link.mac());
        links.setMtu(link.index(), MTU_BYTES);
        links.setUp(link.index());
    }

    /**
     * Has the host take in what comes by the device. Programs of the host set all of this for devices that are new to
     * them: udev what sysctl.d says, network managers what they are told.
     *
     * <p>The reverse path filter of a device is the stricter one of its own and of "all". Its loose form is what lets
     * sources pass to which the routes lead by other devices.
     *
     * <p>Whether a packet is forwarded is up to the device that it came in by. Which one ESP came by is not known any
     * more when it is opened: it is forwarded if any device of the host forwards.
     */
    private void keepOpen() throws OsException {
        DeviceSettings.enableIpv6(link.name());
        Netconf own = null;
        boolean forwards = false;
        int filter = Links.UNCHECKED;
        for (Netconf settings : Netconf.ofIpv4(socket)) {
            if (settings.index() == link.index()) {
                own = settings;
            } else if (settings.index() == Netconf.ALL) {
                filter = settings.reversePathFilter() == Links.UNCHECKED ? Links.UNCHECKED : Links.LOOSE;
            } else {
                forwards |= settings.index() > 0 && settings.forwards();
            }
        }
        if (filter == Links.LOOSE) {
            AddressMessage.addHostAddress(socket, ADDRESS, link.index());
        }
        if (own != null && own.reversePathFilter() != filter) {
            links.setReversePathFilter(link.index(), filter);
        }
        if (own != null && own.forwards() != forwards) {
            links.setForwarding(link.index(), forwards);
        }
        hostForwards = forwards || Netconf.forwardsIpv6(socket);
    }

    /** The device stays. */
    @Override
    public void close() {
        device.close();
    }
}
