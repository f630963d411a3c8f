package org.xfrmbridge.it.conformance;

import java.io.ByteArrayOutputStream;
import java.nio.ByteOrder;
import java.util.List;
import org.xfrmbridge.netlink.text.VolatileField;
import org.xfrmbridge.pfkey.msg.SadbAddress;
import org.xfrmbridge.pfkey.msg.SadbLifetime;
import org.xfrmbridge.pfkey.msg.SadbSa;
import org.xfrmbridge.pfkey.msg.SadbSpirange;
import org.xfrmbridge.pfkey.msg.SadbXFilter;
import org.xfrmbridge.pfkey.msg.SadbXIpsecrequest;
import org.xfrmbridge.pfkey.msg.SadbXPolicy;
import org.xfrmbridge.pfkey.msg.SadbXSa2;
import org.xfrmbridge.pfkey.msg.Sockaddr;
import org.xfrmbridge.pfkey.sadb.SadbExt;
import org.xfrmbridge.pfkey.sadb.SadbStruct;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;

/** The bodies of extensions: right in form, and mostly what a client could mean. */
final class PfkeyPayloads {
    /** As a policy's id in a request: the last one that the client was told; {@code replay.c} puts it there. */
    static final int LAST_INDEX = 0x6e1d0a5c;

    private static final int TRANSPORT = 1;
    private static final int TUNNEL = 2;
    private static final int BEET = 3;
    private static final int AES_CBC = 12;
    private static final int[] MODES = {0, TRANSPORT, TRANSPORT, TUNNEL, TUNNEL, BEET};
    private static final int[] FLAGS = {0, 0, 1, SadbSa.FLAG_NOPMTUDISC, SadbSa.FLAG_DECAP_DSCP, SadbSa.FLAG_NOECN, -1};

    private final Dice dice;
    private final Pools pools;

    PfkeyPayloads(Dice dice, Pools pools) {
        this.dice = dice;
        this.pools = pools;
    }

    byte[] of(SadbExt extension, int family) {
        return switch (extension) {
            case SA -> sa(dice.pick(2, 3, 5, 251), dice.pick(AES_CBC, 3, 11));
            case LIFETIME_CURRENT, LIFETIME_HARD, LIFETIME_SOFT -> lifetime();
            case ADDRESS_SRC, ADDRESS_DST -> address(family);
            case ADDRESS_PROXY, X_NAT_T_OA -> prefix(family);
            case KEY_AUTH -> key(dice.pick(128, 160, 256));
            case KEY_ENCRYPT -> key(dice.pick(128, 192, 256));
            case IDENTITY_SRC, IDENTITY_DST -> dice.bytes(dice.pick(12, 12, 20, 44));
            case SENSITIVITY -> dice.bytes(dice.pick(12, 12, 28));
            case PROPOSAL -> dice.bytes(dice.pick(4, 76));
            case SUPPORTED_AUTH, SUPPORTED_ENCRYPT -> dice.bytes(dice.pick(4, 12));
            case SPIRANGE -> range();
            case X_KMPRIVATE -> dice.bytes(dice.pick(4, 12));
            case X_POLICY -> policy(family);
            case X_SA2 ->
                struct(new SadbXSa2(dice.oneIn(12) ? dice.edge() & 0xff : dice.pick(MODES), 0, pools.reqid()));
            case X_NAT_T_TYPE ->
                PfkeyDraft.body(4, out -> out.put((byte) (dice.oneIn(5) ? dice.pick(0, 1, 3, 7, 255) : 2)));
            case X_NAT_T_SPORT, X_NAT_T_DPORT ->
                PfkeyDraft.body(4, out -> out.order(ByteOrder.BIG_ENDIAN).putShort((short) 4500));
            case X_SEC_CTX -> label();
            case X_KMADDRESS -> kmaddress(family);
            case X_FILTER -> filter(family);
        };
    }

    static byte[] struct(SadbStruct struct) {
        return PfkeyDraft.body(struct.bytes(), struct::write);
    }

    byte[] sa(int auth, int encrypt) {
        int replay = dice.oneIn(6) ? dice.edge() & 0xff : dice.pick(0, 4, 32);
        return struct(new SadbSa(pools.spi(), replay, dice.pick(1, 1, 1, 0, 2, 3), auth, encrypt, dice.pick(FLAGS)));
    }

    byte[] key(int bits) {
        return PfkeyDraft.body(
                4 + Math.ceilDiv(bits, Byte.SIZE),
                out -> out.putShort((short) bits).putShort((short) 0).put(dice.bytes(Math.ceilDiv(bits, Byte.SIZE))));
    }

    /** Seconds are none or far ahead, so that nothing ends within a run by itself. */
    private byte[] lifetime() {
        long bytes = dice.pick(0, 0, 1, 5_000_000, -1);
        return struct(new SadbLifetime(
                dice.pick(0, 0, 1, 1000, -1), bytes, dice.pick(0, 3600, 7200), dice.pick(0, 3600, 7200)));
    }

    /** By itself. */
    byte[] address(int family) {
        int bits = AddressFamily.bits(family);
        return struct(new SadbAddress(
                dice.oneIn(6) ? dice.pick(IpProtocol.UDP, 255) : 0,
                dice.oneIn(8) ? prefixBits(bits) : bits,
                new Sockaddr(family, dice.oneIn(12) ? 500 : 0, pools.usualAddress(family))));
    }

    /** Of a selector. */
    byte[] prefix(int family) {
        int port = dice.oneIn(4) ? dice.pick(53, 500, 0xffff) : 0;
        int proto = dice.oneIn(3) ? dice.pick(IpProtocol.UDP, IpProtocol.TCP, 1, 0) : 255;
        return struct(new SadbAddress(
                proto, prefixBits(AddressFamily.bits(family)), new Sockaddr(family, port, pools.usualAddress(family))));
    }

    private int prefixBits(int bits) {
        return dice.oneIn(40) ? dice.pick(bits + 1, 129, 255) : dice.pick(bits, bits, 24, 0);
    }

    private byte[] range() {
        if (dice.oneIn(6)) {
            return struct(new SadbSpirange(dice.edge(), dice.edge()));
        }
        int single = dice.pick(0x1000, 0x1001, 0x1002);
        return struct(
                dice.oneIn(3)
                        ? new SadbSpirange(VolatileField.CHOSEN_SPI_MIN, VolatileField.CHOSEN_SPI_MAX)
                        : new SadbSpirange(single, single));
    }

    private byte[] label() {
        byte[] label = dice.bytes(dice.pick(0, 1, 8, 13));
        return PfkeyDraft.body(
                4 + label.length,
                out -> out.put((byte) 1)
                        .put((byte) 1)
                        .putShort((short) label.length)
                        .put(label));
    }

    private byte[] kmaddress(int family) {
        byte[] ends = ends(family);
        return PfkeyDraft.body(
                4 + ends.length, out -> out.putInt(dice.pick(0, 0, 7)).put(ends));
    }

    private byte[] filter(int family) {
        int bits = AddressFamily.bits(family);
        return struct(new SadbXFilter(
                pools.usualAddress(family),
                pools.usualAddress(family),
                dice.oneIn(6) ? dice.edge() & 0xffff : dice.pick(family, 0),
                dice.oneIn(8) ? dice.edge() & 0xff : dice.pick(0, 8, 24, bits),
                dice.oneIn(8) ? dice.edge() & 0xff : dice.pick(0, bits)));
    }

    /** To add or name a policy, with its transforms if it says IPsec, and sometimes if not. */
    byte[] policy(int family) {
        int type = dice.oneIn(12) ? dice.pick(3, 4, 5, 0xffff) : dice.pick(0, 1, 2, 2, 2);
        ByteArrayOutputStream requests = new ByteArrayOutputStream();
        if (type == SadbXPolicy.IPSEC || dice.oneIn(5)) {
            for (int i = dice.oneIn(12) ? dice.below(8) : dice.pick(1, 1, 2); i > 0; i--) {
                requests.writeBytes(request(family));
            }
        }
        return policy(type, dice.oneIn(6) ? id() : 0, requests.toByteArray());
    }

    byte[] policy(int type, int id, byte[] requests) {
        int direction = dice.oneIn(12) ? dice.pick(0, 4, 5, 255) : dice.pick(1, 2, 2, 3);
        int priority = dice.pick(0, 0, 1, 2000, -1);
        return PfkeyDraft.body(
                12 + requests.length,
                out -> out.putShort((short) type)
                        .put((byte) direction)
                        .put((byte) 0)
                        .putInt(id)
                        .putInt(priority)
                        .put(requests));
    }

    /** One that exists, mostly: PF_KEY's own, or of a policy made through netlink, where clients choose. */
    int id() {
        int named = VolatileField.FIRST_NAMED_INDEX | dice.pick(0, 1, 2);
        return dice.oneIn(8) ? dice.edge() : dice.pick(LAST_INDEX, LAST_INDEX, LAST_INDEX, named, 8, 9);
    }

    private byte[] request(int family) {
        int mode = dice.oneIn(15) ? dice.edge() & 0xff : dice.pick(TRANSPORT, TUNNEL, BEET);
        int inner = dice.oneIn(8) ? dice.pick(AddressFamily.INET, AddressFamily.INET6) : family;
        byte[] ends = mode == TUNNEL && !dice.oneIn(20) || dice.oneIn(12) ? ends(inner) : new byte[0];
        int reqid = dice.oneIn(10) ? dice.edge() : pools.reqid();
        return request(dice.oneIn(12) ? dice.edge() & 0xffff : pools.protocol(), mode, reqid, ends);
    }

    byte[] request(int protocol, int mode, int reqid, byte[] ends) {
        int length =
                SadbXIpsecrequest.BYTES + ends.length + (dice.oneIn(25) ? dice.pick(-32, -16, -8, -1, 1, 8, 16) : 0);
        int level = dice.oneIn(15) ? dice.edge() & 0xff : dice.pick(0, 1, 2, 2, 3, 3);
        return PfkeyDraft.body(
                SadbXIpsecrequest.BYTES + ends.length,
                out -> out.putShort((short) length)
                        .putShort((short) protocol)
                        .put((byte) mode)
                        .put((byte) level)
                        .putShort((short) 0)
                        .putInt(reqid)
                        .putInt(0)
                        .put(ends));
    }

    /** Two addresses without padding between, but behind them, so that what follows begins at a whole word. */
    private byte[] ends(int family) {
        int second = dice.oneIn(20) ? dice.pick(AddressFamily.INET, AddressFamily.INET6) : family;
        return ends(
                new Sockaddr(family, 0, pools.usualAddress(family)),
                new Sockaddr(second, 0, pools.usualAddress(second)));
    }

    byte[] ends(Sockaddr source, Sockaddr destination) {
        int bytes = source.bytes() + destination.bytes();
        return PfkeyDraft.body(
                (bytes + 7) & -8, out -> List.of(source, destination).forEach(end -> end.write(out)));
    }

    /** What MIGRATE asks for: for each move the old ends and the new ones. */
    byte[] migration(int family) {
        ByteArrayOutputStream moves = new ByteArrayOutputStream();
        for (int i = dice.oneIn(8) ? dice.below(8) : 1; i > 0; i--) {
            int protocol = pools.protocol();
            int mode = dice.oneIn(10) ? dice.edge() & 0xff : dice.pick(TRANSPORT, TUNNEL, TUNNEL, TUNNEL);
            int reqid = pools.reqid();
            moves.writeBytes(request(protocol, mode, reqid, ends(family)));
            boolean other = dice.oneIn(20);
            int newFamily = dice.oneIn(10) ? dice.pick(AddressFamily.INET, AddressFamily.INET6) : family;
            moves.writeBytes(request(protocol, mode, other ? reqid + 1 : reqid, newEnds(newFamily)));
        }
        return policy(SadbXPolicy.IPSEC, 0, moves.toByteArray());
    }

    private byte[] newEnds(int family) {
        return ends(new Sockaddr(family, 0, pools.address(family)), new Sockaddr(family, 0, pools.address(family)));
    }
}
