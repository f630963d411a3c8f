package org.xfrmbridge.daemon.nft;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.xfrmbridge.daemon.nft.Batch.Family;
import org.xfrmbridge.daemon.nft.Batch.Hook;
import org.xfrmbridge.daemon.nft.Batch.Policy;
import org.xfrmbridge.daemon.nft.Rule.Header;
import org.xfrmbridge.daemon.nft.Rule.Meta;
import org.xfrmbridge.daemon.nft.SetKey.Field;
import org.xfrmbridge.daemon.os.NetlinkSocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.StackSigns;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;

/**
 * The table {@code netdev xfrm-bridge-ring}: at the ingress of devices, behind all rules of others there, it gives a
 * sign to plain ESP that comes by certain ways. A way is an interface, a source and a destination, in the order and as
 * long as they are in a packet ({@link #IPV4_WAY_BYTES}, {@link #IPV6_WAY_BYTES}). By its sign such a packet is one for
 * another host, so that the IP layer drops it at once, and one for a {@link org.xfrmbridge.daemon.os.PacketRing}: each
 * is in one of the two places, whenever ways come and go.
 *
 * <p>The table goes with the process that made it, and without it all packets go to the IP layer. One thread.
 */
public final class SignedEsp implements AutoCloseable {
    /** Of the interface's index in native order, and two addresses. */
    public static final int IPV4_WAY_BYTES = 12;

    public static final int IPV6_WAY_BYTES = 36;

    private static final int OWNER = 2;
    private static final int VERY_LAST = 2147483000;
    private static final String SIGN = "sign";
    private static final String WAYS_IPV4 = "ways-ip";
    private static final String WAYS_IPV6 = "ways-ip6";
    /** PACKET_HOST. */
    private static final byte[] TO_THIS_HOST = Rule.bytes(0);

    private final int mark;
    private final int mostPacketBytes;
    private NetfilterSocket netfilter;
    /** Those that have a chain. */
    private final Set<Integer> devices = new HashSet<>();

    private boolean mayBeThere;

    /**
     * @param mark with the type of packet {@link StackSigns#SIGNED_PACKET_TYPE} the sign: a bit that nobody else has
     * @param mostPacketBytes longer ones get no sign
     */
    public SignedEsp(int mark, int mostPacketBytes) throws OsException {
        this.mark = mark;
        this.mostPacketBytes = mostPacketBytes;
        netfilter = new NetfilterSocket(NetlinkSocket.toNetfilter());
    }

    /**
     * From now on. A kernel before Linux 5.12, which would leave the table behind, refuses it.
     *
     * @param device name of the interface, which may have another by now: then nothing has that way
     */
    public void open(byte[] way, int ifindex, String device) throws OsException {
        Batch batch = batch();
        if (devices.isEmpty()) {
            begin(batch);
        }
        if (!devices.contains(ifindex)) {
            String chain = "ingress-" + ifindex;
            batch.addChain(chain, new Hook("filter", Hook.INGRESS, VERY_LAST, device), Policy.ACCEPT)
                    .addRule(chain, new Rule().is(Meta.PROTOCOL, Rule.bytes(50)).goTo(SIGN));
        }
        mayBeThere = true;
        netfilter.commit(batch.addElements(setOf(way), List.of(way)));
        devices.add(ifindex);
    }

    private void begin(Batch batch) {
        batch.addTable(OWNER)
                .addSet(WAYS_IPV4, SetKey.of(Field.INTERFACE, Field.IPV4, Field.IPV4))
                .addSet(WAYS_IPV6, SetKey.of(Field.INTERFACE, Field.IPV6, Field.IPV6))
                .addChain(SIGN)
                .addRule(SIGN, sign(PlainEsp.ipv4(mostPacketBytes), Ipv4.SOURCE, IPV4_WAY_BYTES, WAYS_IPV4))
                .addRule(SIGN, sign(PlainEsp.ipv6(mostPacketBytes), Ipv6.SOURCE, IPV6_WAY_BYTES, WAYS_IPV6));
    }

    /** What has a mark is for rules of routing, or States, that look at it. */
    private Rule sign(Rule plain, int addresses, int wayBytes, String ways) {
        return plain.is(Meta.PACKET_TYPE, TO_THIS_HOST)
                .is(Meta.MARK, Rule.nativeInt(0))
                .load(Meta.IIF, 0)
                .load(Header.NETWORK, addresses, wayBytes - 4, 1)
                .lookup(ways, 0)
                .immediate(0, Rule.nativeInt(mark))
                .set(Meta.MARK, 0)
                .immediate(0, Rule.bytes(StackSigns.SIGNED_PACKET_TYPE))
                .set(Meta.PACKET_TYPE, 0);
    }

    private static String setOf(byte[] way) {
        return way.length == IPV4_WAY_BYTES ? WAYS_IPV4 : WAYS_IPV6;
    }

    /** No more. */
    public void close(byte[] way) throws OsException {
        netfilter.commit(batch().deleteElements(setOf(way), List.of(way)));
    }

    /** All ways are closed from now on, and the table is gone: with its socket, if it cannot be deleted. */
    public void closeAll() throws OsException {
        if (!mayBeThere) {
            return;
        }
        devices.clear();
        mayBeThere = false;
        try {
            netfilter.commit(batch().deleteTable());
        } catch (OsException e) {
            netfilter.close();
            netfilter = new NetfilterSocket(NetlinkSocket.toNetfilter());
        }
    }

    private static Batch batch() {
        return new Batch(Family.NETDEV, StackNames.RING_TABLE);
    }

    /** The table goes, if it is there. */
    @Override
    public void close() {
        netfilter.close();
    }
}
