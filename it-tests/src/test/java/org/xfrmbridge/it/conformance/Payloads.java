package org.xfrmbridge.it.conformance;

import static org.xfrmbridge.it.conformance.Draft.number;
import static org.xfrmbridge.it.conformance.Draft.struct;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.xfrmbridge.netlink.msg.AddressFilter;
import org.xfrmbridge.netlink.msg.Structs;
import org.xfrmbridge.netlink.msg.UserTmpl;
import org.xfrmbridge.netlink.msg.UserpolicyInfo;
import org.xfrmbridge.netlink.msg.UsersaInfo;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec.LifetimeCurrent;

/** A payload for every attribute, right in form and mostly sensible. */
final class Payloads {
    private static final int ALGORITHM_NAME_BYTES = 64;
    private static final int MIGRATE_BYTES = 76;
    private static final int KMADDRESS_BYTES = 40;

    private record Suite(String name, int[] keyBytes, int[] icvBits) {}

    private static final Suite[] AEADS = {
        new Suite("rfc4106(gcm(aes))", new int[] {20, 28, 36}, new int[] {64, 96, 128}),
        new Suite("rfc4309(ccm(aes))", new int[] {19, 27, 35}, new int[] {64, 96, 128}),
        new Suite("rfc4543(gcm(aes))", new int[] {20, 36}, new int[] {128}),
        new Suite("rfc7539esp(chacha20,poly1305)", new int[] {36}, new int[] {128}),
    };
    private static final Suite[] CIPHERS = {
        new Suite("cbc(aes)", new int[] {16, 24, 32}, null),
        new Suite("aes", new int[] {16, 32}, null),
        new Suite("ecb(cipher_null)", new int[] {0}, null),
        new Suite("cipher_null", new int[] {0}, null),
        new Suite("rfc3686(ctr(aes))", new int[] {20, 28, 36}, null),
        new Suite("cbc(des3_ede)", new int[] {24}, null),
        new Suite("des3_ede", new int[] {24}, null),
        new Suite("cbc(des)", new int[] {8}, null),
        new Suite("des", new int[] {8}, null),
        new Suite("cbc(cast5)", new int[] {5, 16}, null),
        new Suite("cast5", new int[] {16}, null),
        new Suite("cbc(blowfish)", new int[] {4, 16, 56}, null),
        new Suite("blowfish", new int[] {16}, null),
        new Suite("cbc(serpent)", new int[] {0, 16, 32}, null),
        new Suite("serpent", new int[] {32}, null),
        new Suite("cbc(camellia)", new int[] {16, 24, 32}, null),
        new Suite("camellia", new int[] {32}, null),
        new Suite("cbc(twofish)", new int[] {16, 24, 32}, null),
        new Suite("twofish", new int[] {16}, null),
    };
    /** Those that kernels are seldom built with: what follows such a state cannot be compared. */
    private static final Suite[] RARE_CIPHERS = {
        new Suite("cbc(aria)", new int[] {16}, null),
        new Suite("aria", new int[] {32}, null),
        new Suite("rfc3686(ctr(aria))", new int[] {20}, null),
        new Suite("cbc(sm4)", new int[] {16}, null),
        new Suite("sm4", new int[] {16}, null),
    };

    private static final Suite[] DIGESTS = {
        new Suite("hmac(sha1)", new int[] {20}, new int[] {96, 160}),
        new Suite("sha1", new int[] {20}, new int[] {96}),
        new Suite("hmac(sha256)", new int[] {32}, new int[] {96, 128, 256}),
        new Suite("hmac(sha384)", new int[] {48}, new int[] {192}),
        new Suite("hmac(sha512)", new int[] {64}, new int[] {256}),
        new Suite("hmac(md5)", new int[] {16}, new int[] {96, 128}),
        new Suite("md5", new int[] {16}, new int[] {96}),
        new Suite("sha256", new int[] {32}, new int[] {96, 128}),
        new Suite("hmac(rmd160)", new int[] {20}, new int[] {96, 160}),
        new Suite("rmd160", new int[] {20}, new int[] {96}),
        new Suite("xcbc(aes)", new int[] {16}, new int[] {96}),
        new Suite("cmac(aes)", new int[] {16}, new int[] {96, 128}),
        new Suite("digest_null", new int[] {0}, new int[] {0}),
    };
    private static final Suite[] RARE_DIGESTS = {
        new Suite("hmac(sm3)", new int[] {32}, new int[] {256}), new Suite("sm3", new int[] {32}, new int[] {256}),
    };
    private static final Suite[] COMPRESSIONS = {
        new Suite("deflate", new int[] {0}, null),
        new Suite("deflate", new int[] {0}, null),
        new Suite("lzs", new int[] {0}, null),
        new Suite("lzjh", new int[] {0}, null)
    };

    private final Dice dice;
    private final Pools pools;
    private final int newestMode;

    Payloads(Dice dice, Pools pools, int maxAttribute) {
        this.dice = dice;
        this.pools = pools;
        newestMode = (maxAttribute >= XfrmAttribute.IPTFS_DROP_TIME ? Mode.IPTFS : Mode.BEET).number();
    }

    byte[] of(int type, int family) {
        return switch (type) {
            case XfrmAttribute.ALG_AUTH -> algorithm(digest());
            case XfrmAttribute.ALG_CRYPT -> algorithm(dice.choose(dice.oneIn(30) ? RARE_CIPHERS : CIPHERS));
            case XfrmAttribute.ALG_COMP -> algorithm(dice.choose(COMPRESSIONS));
            case XfrmAttribute.ALG_AEAD -> algorithmWithIcv(dice.choose(AEADS));
            case XfrmAttribute.ALG_AUTH_TRUNC -> algorithmWithIcv(digest());
            case XfrmAttribute.TMPL -> templates(family);
            case XfrmAttribute.SA -> new byte[UsersaInfo.BYTES];
            case XfrmAttribute.POLICY -> new byte[UserpolicyInfo.BYTES];
            case XfrmAttribute.SEC_CTX -> securityContext();
            case XfrmAttribute.REPLAY_VAL ->
                struct(12, out -> out.putInt(sequence()).putInt(sequence()).putInt(dice.pick(0, 1, -1)));
            case XfrmAttribute.REPLAY_ESN_VAL -> replayBitmap();
            case XfrmAttribute.POLICY_TYPE ->
                struct(6, out -> out.put((byte) (dice.oneIn(12) ? dice.edge() : dice.pick(0, 0, 1))));
            case XfrmAttribute.MIGRATE -> migrations(family);
            case XfrmAttribute.KMADDRESS -> kmAddress(family);
            case XfrmAttribute.PROTO ->
                new byte[] {(byte) (dice.oneIn(6) ? dice.edge() : dice.pick(0, 50, 50, 51, 255))};
            case XfrmAttribute.OFFLOAD_DEV ->
                struct(8, out -> out.putInt(dice.pick(1, 99)).put((byte) dice.pick(0, 1, 2, 4, 6, 8)));
            case XfrmAttribute.SA_DIR -> new byte[] {(byte) dice.pick(1, 2)};
            case XfrmAttribute.IPTFS_REORDER_WINDOW -> struct(2, out -> out.putShort((short) dice.edge()));
            case XfrmAttribute.IPTFS_DONT_FRAG, XfrmAttribute.PAD -> new byte[0];
            default -> structOrNumber(type, family);
        };
    }

    private byte[] structOrNumber(int type, int family) {
        return switch (type) {
            case XfrmAttribute.ENCAP ->
                struct(Structs.ENCAP_BYTES, out -> Structs.writeEncapsulation(out, encapsulation(family)));
            case XfrmAttribute.LTIME_VAL ->
                struct(Structs.LIFETIME_CURRENT_BYTES, out -> Structs.writeLifetimeCurrent(out, usage()));
            case XfrmAttribute.SRCADDR, XfrmAttribute.COADDR -> address(pools.usualAddress(family));
            case XfrmAttribute.LASTUSED -> struct(8, out -> out.putLong(1000));
            case XfrmAttribute.MARK -> struct(Structs.MARK_BYTES, out -> Structs.writeMark(out, pools.mark()));
            case XfrmAttribute.ADDRESS_FILTER ->
                struct(AddressFilter.BYTES, out -> filter(family).write(out));
            case XfrmAttribute.IF_ID -> number(dice.pick(0, 1, 9));
            case XfrmAttribute.SA_EXTRA_FLAGS -> number(dice.oneIn(6) ? dice.edge() : dice.pick(0, 1, 2, 3));
            // One that every machine has, or one that none has.
            case XfrmAttribute.SA_PCPU -> number(dice.pick(0, 0, 0, 0x7fffffff, -1));
            case XfrmAttribute.TFCPAD -> number(dice.pick(0, 100, 1400));
            case XfrmAttribute.SET_MARK, XfrmAttribute.SET_MARK_MASK -> number(dice.pick(0, 1, 0xff, -1));
            default -> number(dice.oneIn(4) ? dice.edge() : dice.pick(0, 1, 20, 60));
        };
    }

    private int sequence() {
        return dice.oneIn(5) ? dice.edge() : dice.pick(0, 0, 100, 200);
    }

    private Suite digest() {
        return dice.choose(dice.oneIn(30) ? RARE_DIGESTS : DIGESTS);
    }

    private byte[] algorithm(Suite suite) {
        byte[] key = key(suite);
        int keyBits = keyBits(key);
        return struct(
                ALGORITHM_NAME_BYTES + 4 + key.length,
                out -> out.put(name(suite)).putInt(keyBits).put(key));
    }

    /** XFRMA_ALG_AUTH_TRUNC with an algorithm of this name. */
    byte[] truncated(String name) {
        return algorithmWithIcv(Arrays.stream(DIGESTS)
                .filter(suite -> suite.name.equals(name))
                .findFirst()
                .orElseThrow());
    }

    private byte[] algorithmWithIcv(Suite suite) {
        byte[] key = key(suite);
        int icvBits = dice.oneIn(8) ? dice.pick(0, 8, 24, 32, 72, 512, -1) : dice.pick(suite.icvBits);
        int keyBits = keyBits(key);
        return struct(
                ALGORITHM_NAME_BYTES + 8 + key.length,
                out -> out.put(name(suite)).putInt(keyBits).putInt(icvBits).put(key));
    }

    private byte[] name(Suite suite) {
        String text = dice.oneIn(20) ? dice.choose("", "none", "cbc(none)", "hmac(sha256)", "cbc(aes)") : suite.name;
        byte[] name = new byte[ALGORITHM_NAME_BYTES];
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(bytes, 0, name, 0, bytes.length);
        if (dice.oneIn(60)) {
            name[ALGORITHM_NAME_BYTES - 1] = 'x';
        }
        return name;
    }

    private byte[] key(Suite suite) {
        int bytes = dice.oneIn(12) ? dice.pick(0, 1, 7, 15, 17, 64) : dice.pick(suite.keyBytes);
        return dice.bytes(bytes);
    }

    private int keyBits(byte[] key) {
        if (dice.oneIn(15)) {
            return dice.oneIn(2) ? dice.edge() : Math.max(0, 8 * key.length - dice.pick(1, 7, 8));
        }
        return 8 * key.length;
    }

    private Encapsulation encapsulation(int family) {
        int type = dice.oneIn(5) ? dice.pick(0, 1, 3, 7, 8, 255) : Encapsulation.UDP_ENCAP_ESPINUDP;
        return new Encapsulation(
                type, dice.pick(4500, 0), dice.pick(4500, 1024), dice.oneIn(3) ? pools.address(family) : Address.ANY);
    }

    private LifetimeCurrent usage() {
        long bytes = dice.oneIn(6) ? dice.extreme() : dice.pick(0, 1000, 6_000_000);
        long packets = dice.oneIn(6) ? dice.extreme() : dice.pick(0, 10);
        return new LifetimeCurrent(
                bytes, packets, dice.oneIn(6) ? dice.extreme() : 0, dice.oneIn(6) ? dice.extreme() : dice.pick(0, 5));
    }

    private static byte[] address(Address address) {
        return struct(Address.BYTES, out -> Structs.writeAddress(out, address));
    }

    private AddressFilter filter(int family) {
        int prefix = dice.oneIn(8) ? dice.pick(129, 255) : dice.pick(0, 24, 32, 128);
        return new AddressFilter(
                pools.usualAddress(family),
                pools.usualAddress(family),
                dice.oneIn(4) ? 0 : family,
                prefix,
                dice.pick(0, 32, 128));
    }

    private byte[] securityContext() {
        int label = dice.pick(0, 4, 8);
        int length = dice.oneIn(4) ? dice.pick(0, 8, 255) : 8 + label;
        return struct(
                8 + label,
                out -> out.putShort((short) length)
                        .putShort((short) 8)
                        .put((byte) dice.pick(0, 1))
                        .put((byte) 1)
                        .putShort((short) label));
    }

    private byte[] replayBitmap() {
        int words = dice.oneIn(8) ? dice.pick(0, 1, 128, 129) : dice.pick(1, 2, 4);
        int announced = dice.oneIn(12) ? dice.edge() : words;
        int window = dice.oneIn(6) ? dice.edge() : 32 * words;
        boolean fresh = !dice.oneIn(3);
        return struct(24 + 4 * (dice.oneIn(12) ? 0 : words), out -> {
            out.putInt(announced);
            for (int i = 0; i < 4; i++) {
                out.putInt(fresh ? 0 : sequence());
            }
            out.putInt(window);
        });
    }

    private byte[] templates(int family) {
        int count = dice.oneIn(12) ? dice.pick(0, 3, 6, 7) : dice.pick(1, 1, 1, 2);
        int spareBytes = dice.oneIn(20) ? 4 : 0;
        return struct(count * UserTmpl.BYTES + spareBytes, out -> {
            for (int i = 0; i < count; i++) {
                template(family).write(out);
            }
        });
    }

    private UserTmpl template(int family) {
        int own = dice.oneIn(12) ? pools.family() : family;
        return UserTmpl.builder()
                .id(new StateId(pools.usualAddress(own), dice.oneIn(4) ? pools.spi() : 0, pools.protocol()))
                .family(dice.oneIn(8) ? AddressFamily.UNSPEC : own)
                .saddr(pools.usualAddress(own))
                .reqid(pools.reqid())
                .mode(mode())
                .share(dice.pick(0, 0, 0, 1, 3, 255))
                .optional(dice.oneIn(6) ? dice.pick(1, 2) : 0)
                .authMask(dice.pick(-1, 0))
                .cipherMask(dice.pick(-1, 3))
                .compressionMask(-1)
                .build();
    }

    int mode() {
        return dice.oneIn(12) ? dice.pick(2, 3, 4, newestMode, 6, 255) : dice.pick(0, 1, 1);
    }

    private byte[] migrations(int family) {
        int count = dice.oneIn(10) ? dice.pick(0, 6, 7) : dice.pick(1, 1, 2);
        int spareBytes = dice.oneIn(20) ? 4 : 0;
        return struct(count * MIGRATE_BYTES + spareBytes, out -> {
            for (int i = 0; i < count; i++) {
                int newFamily = dice.oneIn(8) ? pools.family() : family;
                for (int address = 0; address < 4; address++) {
                    Structs.writeAddress(out, pools.usualAddress(address < 2 ? family : newFamily));
                }
                out.put((byte) pools.protocol())
                        .put((byte) mode())
                        .putShort((short) 0)
                        .putInt(pools.reqid());
                out.putShort((short) family).putShort((short) newFamily);
            }
        });
    }

    private byte[] kmAddress(int family) {
        return struct(KMADDRESS_BYTES, out -> {
            Structs.writeAddress(out, pools.usualAddress(family));
            Structs.writeAddress(out, pools.usualAddress(family));
            out.putInt(dice.pick(0, 3)).putShort((short) family);
        });
    }
}
