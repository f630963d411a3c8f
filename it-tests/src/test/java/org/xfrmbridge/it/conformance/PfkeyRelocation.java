package org.xfrmbridge.it.conformance;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.pfkey.msg.SadbAddress;
import org.xfrmbridge.pfkey.msg.SadbSa;
import org.xfrmbridge.pfkey.msg.SadbXIpsecrequest;
import org.xfrmbridge.pfkey.msg.SadbXPolicy;
import org.xfrmbridge.pfkey.msg.SadbXSa2;
import org.xfrmbridge.pfkey.msg.Sockaddr;
import org.xfrmbridge.pfkey.sadb.SadbExt;
import org.xfrmbridge.pfkey.sadb.SadbType;
import org.xfrmbridge.pfkey.sadb.Satype;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * A policy, the SAs it wants, X_MIGRATE that moves both, and a look at what is there then. Chance alone hardly ever
 * brings these together: the policy must be of that very selector, as kernels before 6.14 want it, and its templates
 * and the SAs of the old addresses.
 */
final class PfkeyRelocation {
    private static final int TRANSPORT = 1;
    private static final int TUNNEL = 2;
    private static final int BEET = 3;
    private static final int SHA1 = 3;
    private static final int SHA1_BITS = 160;
    private static final int AES_CBC = 12;
    private static final int AES_BITS = 128;
    private static final int MATURE = 1;
    private static final int ESP_IN_UDP = 2;
    private static final int FIRST_SPI = 0x1000;
    private static final String[] IPV4 = {"192.0.2.1", "192.0.2.2", "198.51.100.7", "198.51.100.8"};
    private static final String[] IPV6 = {"2001:db8::1", "2001:db8::2", "2001:db8:1::7", "2001:db8:1::8"};

    /** What one template wants and its SAs are. */
    private record Transform(int satype, int protocol, int mode, int reqid) {}

    private final Dice dice;
    private final PfkeyPayloads payloads;
    private final PfkeySpoiler spoiler;
    private final int family;
    private final int newFamily;
    private final int direction;
    private final Address[] oldEnds;
    private final Address[] newEnds;
    private final SadbAddress source;
    private final SadbAddress destination;
    private final List<Transform> transforms = new ArrayList<>();

    PfkeyRelocation(Dice dice, PfkeyPayloads payloads, PfkeySpoiler spoiler) {
        this.dice = dice;
        this.payloads = payloads;
        this.spoiler = spoiler;
        family = family(AddressFamily.INET, 3);
        newFamily = family(family, 6);
        direction = dice.pick(1, 2, 2, 3);
        oldEnds = ends(family, 0, 1);
        newEnds = ends(newFamily, dice.pick(0, 2, 2), dice.pick(1, 3));
        int proto = dice.oneIn(3) ? dice.pick(IpProtocol.UDP, 1) : 255;
        source = selector(proto, oldEnds[0]);
        destination = selector(proto, oldEnds[1]);
        transforms.add(transform(Satype.ESP, IpProtocol.ESP));
        if (dice.oneIn(4)) {
            transforms.add(transform(Satype.AH, IpProtocol.AH));
        }
    }

    private int family(int usual, int rarity) {
        return dice.oneIn(rarity) ? dice.pick(AddressFamily.INET, AddressFamily.INET6) : usual;
    }

    private static Address[] ends(int family, int from, int to) {
        String[] pool = family == AddressFamily.INET6 ? IPV6 : IPV4;
        return new Address[] {Address.parse(pool[from]), Address.parse(pool[to])};
    }

    private SadbAddress selector(int proto, Address address) {
        int bits = AddressFamily.bits(family);
        int port = proto == IpProtocol.UDP && dice.oneIn(2) ? 500 : 0;
        return new SadbAddress(proto, dice.pick(bits, bits, 24, 0), new Sockaddr(family, port, address));
    }

    private Transform transform(int satype, int protocol) {
        return new Transform(satype, protocol, dice.pick(TRANSPORT, TUNNEL, TUNNEL, BEET), dice.pick(1, 7));
    }

    List<byte[]> messages() {
        List<PfkeyDraft> drafts = new ArrayList<>();
        drafts.add(policy());
        for (int i = dice.below(4); i > 0; i--) {
            drafts.add(state(FIRST_SPI + i, dice.choose(transforms)));
        }
        drafts.add(migration());
        drafts.add(new PfkeyDraft(SadbType.DUMP, Satype.UNSPEC));
        drafts.add(new PfkeyDraft(SadbType.X_SPDDUMP, Satype.UNSPEC));
        drafts.add(name(dice.pick(SadbType.GET, SadbType.DELETE)));
        if (dice.oneIn(6)) {
            spoiler.spoil(dice.choose(drafts));
        }
        return drafts.stream().map(PfkeyDraft::toBytes).toList();
    }

    private PfkeyDraft withSelector(PfkeyDraft draft) {
        return draft.with(SadbExt.ADDRESS_SRC, PfkeyPayloads.struct(source))
                .with(SadbExt.ADDRESS_DST, PfkeyPayloads.struct(destination));
    }

    private PfkeyDraft policy() {
        ByteArrayOutputStream requests = new ByteArrayOutputStream();
        for (Transform transform : transforms) {
            requests.writeBytes(request(transform, transform.mode == TRANSPORT ? new byte[0] : pair(family, oldEnds)));
        }
        return withSelector(new PfkeyDraft(SadbType.X_SPDADD, Satype.UNSPEC))
                .with(SadbExt.X_POLICY, policy(requests.toByteArray()));
    }

    private byte[] policy(byte[] requests) {
        return PfkeyDraft.body(
                12 + requests.length,
                out -> out.putShort((short) SadbXPolicy.IPSEC)
                        .put((byte) direction)
                        .put((byte) 0)
                        .putInt(0)
                        .putInt(0)
                        .put(requests));
    }

    private static byte[] request(Transform transform, byte[] ends) {
        int length = SadbXIpsecrequest.BYTES + ends.length;
        return PfkeyDraft.body(
                length,
                out -> out.putShort((short) length)
                        .putShort((short) transform.protocol)
                        .put((byte) transform.mode)
                        .put((byte) SadbXIpsecrequest.UNIQUE)
                        .putShort((short) 0)
                        .putInt(transform.reqid)
                        .putInt(0)
                        .put(ends));
    }

    private byte[] pair(int ofFamily, Address... ends) {
        return payloads.ends(new Sockaddr(ofFamily, 0, ends[0]), new Sockaddr(ofFamily, 0, ends[1]));
    }

    /** Mostly one that moves; else of the other direction, or of another reqid. */
    private PfkeyDraft state(int spi, Transform transform) {
        boolean back = dice.oneIn(8);
        int reqid = dice.oneIn(8) ? transform.reqid + 1 : transform.reqid;
        int cipher = transform.satype == Satype.ESP ? AES_CBC : 0;
        SadbSa sa = new SadbSa(
                spi,
                dice.pick(0, 4, 32),
                MATURE,
                SHA1,
                cipher,
                dice.pick(0, 0, SadbSa.FLAG_NOPMTUDISC, SadbSa.FLAG_DECAP_DSCP));
        PfkeyDraft draft = withEnds(
                new PfkeyDraft(SadbType.ADD, transform.satype).with(SadbExt.SA, PfkeyPayloads.struct(sa)),
                oldEnds[back ? 1 : 0],
                oldEnds[back ? 0 : 1]);
        draft.sequence = dice.pick(0, 0, 5);
        draft.with(SadbExt.KEY_AUTH, payloads.key(SHA1_BITS));
        if (cipher != 0) {
            draft.with(SadbExt.KEY_ENCRYPT, payloads.key(AES_BITS));
        }
        draft.with(SadbExt.X_SA2, PfkeyPayloads.struct(new SadbXSa2(transform.mode, 0, reqid)));
        if (dice.oneIn(3)) {
            draft.with(SadbExt.LIFETIME_HARD, payloads.of(SadbExt.LIFETIME_HARD, family));
        }
        if (cipher != 0 && family == AddressFamily.INET && dice.oneIn(4)) {
            draft.with(SadbExt.X_NAT_T_TYPE, PfkeyDraft.body(4, out -> out.put((byte) ESP_IN_UDP)))
                    .with(SadbExt.X_NAT_T_SPORT, payloads.of(SadbExt.X_NAT_T_SPORT, family))
                    .with(SadbExt.X_NAT_T_DPORT, payloads.of(SadbExt.X_NAT_T_DPORT, family));
        }
        return draft;
    }

    private PfkeyDraft withEnds(PfkeyDraft draft, Address from, Address to) {
        int bits = AddressFamily.bits(family);
        return draft.with(
                        SadbExt.ADDRESS_SRC,
                        PfkeyPayloads.struct(new SadbAddress(0, bits, new Sockaddr(family, 0, from))))
                .with(SadbExt.ADDRESS_DST, PfkeyPayloads.struct(new SadbAddress(0, bits, new Sockaddr(family, 0, to))));
    }

    private PfkeyDraft migration() {
        ByteArrayOutputStream moves = new ByteArrayOutputStream();
        for (Transform transform : transforms) {
            Transform moved =
                    dice.oneIn(6) ? new Transform(transform.satype, transform.protocol, transform.mode, 0) : transform;
            moves.writeBytes(request(moved, pair(family, oldEnds)));
            moves.writeBytes(request(moved, pair(newFamily, newEnds)));
        }
        PfkeyDraft draft = withSelector(new PfkeyDraft(SadbType.X_MIGRATE, Satype.UNSPEC))
                .with(SadbExt.X_POLICY, policy(moves.toByteArray()));
        return dice.oneIn(2) ? draft : draft.with(SadbExt.X_KMADDRESS, payloads.of(SadbExt.X_KMADDRESS, family));
    }

    /** An SA under its new name, mostly. */
    private PfkeyDraft name(int type) {
        SadbSa sa = new SadbSa(FIRST_SPI + 1, 0, MATURE, 0, 0, 0);
        Address to = family == newFamily && !dice.oneIn(4) ? newEnds[1] : oldEnds[1];
        return withEnds(
                new PfkeyDraft(type, transforms.getFirst().satype).with(SadbExt.SA, PfkeyPayloads.struct(sa)),
                oldEnds[0],
                to);
    }
}
