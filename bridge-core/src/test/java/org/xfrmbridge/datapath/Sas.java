package org.xfrmbridge.datapath;

import org.xfrmbridge.esp.AhSuite;
import org.xfrmbridge.esp.AlgorithmEntry;
import org.xfrmbridge.esp.AlgorithmKind;
import org.xfrmbridge.esp.AlgorithmTable;
import org.xfrmbridge.esp.EspSuite;
import org.xfrmbridge.esp.KeyMaterial;
import org.xfrmbridge.esp.KeyedAlgorithm;
import org.xfrmbridge.esp.Suite;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateFlags;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;
import org.xfrmbridge.xfrm.Usage;

/** States, templates and selectors for tests. */
final class Sas {
    enum Cipher {
        GCM,
        CBC_SHA256,
        NULL_SHA1
    }

    private Sas() {}

    static int family(String address) {
        return address.indexOf(':') < 0 ? AddressFamily.INET : AddressFamily.INET6;
    }

    static StateSpecBuilder spec(Mode mode, String source, String destination, int spi) {
        StateSpecBuilder spec = StateSpec.builder()
                .mode(mode)
                .family(family(source))
                .saddr(Address.parse(source))
                .id(new StateId(Address.parse(destination), spi, IpProtocol.ESP))
                .reqid(1)
                .replayWindow(32);
        if (mode != Mode.TRANSPORT) {
            spec.flags(StateFlags.AF_UNSPEC);
        } else {
            spec.selector(Selector.any(spec.family()));
        }
        return spec;
    }

    static State state(StateSpecBuilder spec) {
        return state(spec, Cipher.GCM);
    }

    static State state(StateSpecBuilder spec, Cipher suite) {
        if (suite != Cipher.GCM) {
            spec.auth(new Algorithm(suite == Cipher.CBC_SHA256 ? "hmac(sha256)" : "hmac(sha1)", 0, 0, new byte[0]));
        }
        return new State(spec.build(), State.Phase.VALID, new Usage(1), suite(suite));
    }

    /** AH with the default ICV of the algorithm; {@code auth} is its name. */
    static State ah(StateSpecBuilder spec, String auth) {
        AlgorithmEntry algorithm = AlgorithmTable.find(AlgorithmKind.AUTH, auth).orElseThrow();
        return ah(spec, auth, algorithm.lengths().icvBits());
    }

    static State ah(StateSpecBuilder spec, String auth, int icvBits) {
        AlgorithmEntry algorithm = AlgorithmTable.find(AlgorithmKind.AUTH, auth).orElseThrow();
        byte[] key = key(auth.contains("aes") ? 16 : algorithm.lengths().icvFullBits() / 8);
        spec.id(new StateId(spec.id().daddr(), spec.id().spi(), IpProtocol.AH))
                .auth(new Algorithm(auth, key.length * 8, icvBits, key));
        return new State(
                spec.build(),
                State.Phase.VALID,
                new Usage(1),
                new AhSuite(new KeyedAlgorithm(algorithm, KeyMaterial.copyOf(key)), icvBits));
    }

    static State comp(StateSpecBuilder spec) {
        spec.id(new StateId(spec.id().daddr(), spec.id().spi(), IpProtocol.COMP))
                .replayWindow(0);
        return new State(spec.build(), State.Phase.VALID, new Usage(1), Suite.Deflate.DEFAULT);
    }

    /** What the control side puts beside an IPComp tunnel. */
    static State ipip(StateSpecBuilder spec) {
        spec.id(new StateId(
                        spec.id().daddr(), 1, spec.family() == AddressFamily.INET ? IpProtocol.IPIP : IpProtocol.IPV6))
                .replayWindow(0)
                .reqid(0);
        return new State(spec.build(), State.Phase.VALID, new Usage(1), Suite.Ipip.INSTANCE);
    }

    static State larval(StateSpecBuilder spec) {
        return new State(spec.build(), State.Phase.ACQUIRING, new Usage(1));
    }

    static byte[] key(int bytes) {
        byte[] key = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            key[i] = (byte) (7 * i + 1);
        }
        return key;
    }

    private static EspSuite suite(Cipher suite) {
        return switch (suite) {
            case GCM ->
                EspSuite.aead(
                        keyed(AlgorithmTable.aead("rfc4106(gcm(aes))", 128).orElseThrow(), 20));
            case CBC_SHA256 -> pair("cbc(aes)", 16, "hmac(sha256)", 32, 128);
            case NULL_SHA1 -> pair("ecb(cipher_null)", 0, "hmac(sha1)", 20, 96);
        };
    }

    private static EspSuite pair(String cipher, int keyBytes, String auth, int authKeyBytes, int icvBits) {
        return EspSuite.encryptThenMac(
                keyed(AlgorithmTable.find(AlgorithmKind.CIPHER, cipher).orElseThrow(), keyBytes),
                keyed(AlgorithmTable.find(AlgorithmKind.AUTH, auth).orElseThrow(), authKeyBytes),
                icvBits);
    }

    private static KeyedAlgorithm keyed(AlgorithmEntry algorithm, int keyBytes) {
        return new KeyedAlgorithm(algorithm, KeyMaterial.copyOf(key(keyBytes)));
    }

    static Template template(Mode mode, String source, String destination) {
        return template(mode, source, destination, 1, false);
    }

    static Template template(Mode mode, String source, String destination, int reqid, boolean optional) {
        StateId id = new StateId(mode == Mode.TRANSPORT ? Address.ANY : Address.parse(destination), 0, IpProtocol.ESP);
        Address saddr = mode == Mode.TRANSPORT ? Address.ANY : Address.parse(source);
        return Template.builder()
                .id(id)
                .family(family(source))
                .saddr(saddr)
                .reqid(reqid)
                .mode(mode)
                .optional(optional)
                .build();
    }

    static Template of(int protocol, Template template) {
        StateId id = new StateId(template.id().daddr(), template.id().spi(), protocol);
        return Template.builder()
                .id(id)
                .family(template.family())
                .saddr(template.saddr())
                .reqid(template.reqid())
                .mode(template.mode())
                .optional(template.optional())
                .build();
    }

    /** All packets between two prefixes, as "10.1.0.0/16". */
    static Selector between(String source, String destination) {
        return between(source, destination, 0, 0);
    }

    static Selector between(String source, String destination, int protocol, int dport) {
        return between(source, destination, protocol, dport, 0);
    }

    static Selector between(String source, String destination, int protocol, int dport, int ifindex) {
        String[] from = source.split("/");
        String[] to = destination.split("/");
        return Selector.of(family(from[0]))
                .saddr(Address.parse(from[0]), Integer.parseInt(from[1]))
                .daddr(Address.parse(to[0]), Integer.parseInt(to[1]))
                .dport(dport, dport == 0 ? 0 : 0xffff)
                .protocol(protocol)
                .ifindex(ifindex)
                .build();
    }
}
