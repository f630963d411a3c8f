package org.xfrmbridge.daemon.attach;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.TapDevice;
import org.xfrmbridge.daemon.route.AddressMessage;
import org.xfrmbridge.daemon.route.Link;
import org.xfrmbridge.daemon.route.Links;
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

    private static final Path ALL_RP_FILTER = Path.of("/proc/sys/net/ipv4/conf/all/rp_filter");

    private final Links links;
    private final RouteSocket socket;
    private final TapDevice device;
    private Link link;
    private int reversePathFilter = -1;

    StackTap(String name, Links links, RouteSocket socket) throws OsException {
        this.links = links;
        this.socket = socket;
        device = TapDevice.open(name, TapDevice.Offload.TCP);
        link = links.find(name);
        links.setAddressGeneration(link.index(), Link.NO_GENERATED_ADDRESS);
        DeviceSettings.enableIpv6(name);
        links.setQueueLength(link.index(), QUEUE_FRAMES);
        settle();
        keepReversePath();
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
        keepReversePath();
        Link now = links.find(link.name());
        if (now == null || now.index() != link.index()) {
            device.makeAgain(link.index());
            links.setMac(link.index(), link.mac());
            links.setAddressGeneration(link.index(), Link.NO_GENERATED_ADDRESS);
            settle();
            reversePathFilter = -1;
            keepReversePath();
            return true;
        }
        if (isSettled(now)) {
            return false;
        }
        settle();
        return true;
    }

    private boolean isSettled(Link now) {
        return now.isUp() && now.isWithoutArp() && now.mtuBytes() == MTU_BYTES && now.mac() == link.mac();
    }

    private void settle() throws OsException {
        links.disableArp(link.index());
        links.setMac(link.index(), link.mac());
        links.setMtu(link.index(), MTU_BYTES);
        links.setUp(link.index());
    }

    /**
     * The filter of an interface is the stricter one of its own and of "all". Its loose form is what lets sources pass
     * to which the routes lead by other interfaces.
     */
    private void keepReversePath() throws OsException {
        int wanted = isReversePathChecked() ? Links.LOOSE : Links.UNCHECKED;
        if (wanted == reversePathFilter) {
            return;
        }
        if (wanted == Links.LOOSE) {
            AddressMessage.addHostAddress(socket, ADDRESS, link.index());
        }
        links.setReversePathFilter(link.index(), wanted);
        reversePathFilter = wanted;
    }

    private static boolean isReversePathChecked() {
        try {
            return !Files.readString(ALL_RP_FILTER).strip().equals("0");
        } catch (IOException e) {
            return true;
        }
    }

    /** The device stays. */
    @Override
    public void close() {
        device.close();
    }
}
