package org.xfrmbridge.km;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.ReplayState;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateFlags;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;

class StateRulesTest extends EngineFixture {
    private static final Encapsulation UDP =
            new Encapsulation(Encapsulation.UDP_ENCAP_ESPINUDP, 4500, 4500, Address.ANY);

    private static Algorithm cbc() {
        return algorithm("cbc(aes)", "00112233445566778899aabbccddeeff", 0);
    }

    private static Algorithm sha256(int icvBits) {
        return algorithm("hmac(sha256)", "0011", icvBits);
    }

    private static ReplayState bitmap(int windowBits, int words) {
        return new ReplayState(0, 0, 0, 0, windowBits, new int[words]);
    }

    private static void protocol(StateSpecBuilder spec, int protocol) {
        spec.id(new StateId(spec.id().daddr(), spec.id().spi(), protocol)).aead(null);
    }

    private static Selector prefixes(int family, int daddrPrefix, int saddrPrefix) {
        return Selector.of(family)
                .saddr(Address.ANY, saddrPrefix)
                .daddr(Address.ANY, daddrPrefix)
                .build();
    }

    private static Arguments of(String what, Errno errno, Consumer<StateSpecBuilder> change) {
        return Arguments.of(what, errno, change);
    }

    static Stream<Arguments> refusals() {
        Errno invalid = Errno.EINVAL;
        return Stream.of(
                of("no family", invalid, s -> s.family(AddressFamily.UNSPEC)),
                of("odd selector family", invalid, s -> s.selector(prefixes(7, 0, 0))),
                of("IPv4 prefix of 33", invalid, s -> s.selector(prefixes(AddressFamily.INET, 33, 0))),
                of("prefix of 33 with the family left to the state", invalid, s -> s.selector(prefixes(0, 0, 33))),
                of("IPv6 prefix of 129", invalid, s -> s.selector(prefixes(AddressFamily.INET6, 0, 129))),
                of("UDP as protocol", invalid, s -> protocol(s, IpProtocol.UDP)),
                of("AH without AUTH", invalid, s -> protocol(s, IpProtocol.AH)),
                of("AH with a cipher", invalid, s -> {
                    protocol(s, IpProtocol.AH);
                    s.auth(sha256(96)).cipher(cbc());
                }),
                of("AH with another algorithm than there are", Errno.ENOSYS, s -> {
                    protocol(s, IpProtocol.AH);
                    s.auth(algorithm("hmac(squeeze)", "0011", 96));
                }),
                of("AH with a key that does not fit", invalid, s -> {
                    protocol(s, IpProtocol.AH);
                    s.auth(algorithm("xcbc(aes)", "0011", 96));
                }),
                of("AH with more ICV than digest", invalid, s -> {
                    protocol(s, IpProtocol.AH);
                    s.auth(sha256(264)).authTruncated(true);
                }),
                of("AH in UDP", invalid, s -> {
                    protocol(s, IpProtocol.AH);
                    s.auth(sha256(96))
                            .encapsulation(
                                    new Encapsulation(Encapsulation.UDP_ENCAP_ESPINUDP, 4500, 4500, Address.ANY));
                }),
                of("ESP with compression", invalid, s -> s.compression(algorithm("deflate", "", 0))),
                of("ESP without algorithms", invalid, s -> s.aead(null)),
                of("ESP with AEAD and CRYPT", invalid, s -> s.cipher(cbc())),
                of("ESP with AUTH alone", invalid, s -> {
                    s.aead(null).auth(sha256(96));
                }),
                of("TFC padding in transport mode", invalid, s -> {
                    s.mode(Mode.TRANSPORT).tfcPadBytes(100);
                }),
                of("IPComp without COMP", invalid, s -> protocol(s, IpProtocol.COMP)),
                of("IPComp with a long SPI", invalid, s -> {
                    protocol(s, IpProtocol.COMP);
                    s.compression(algorithm("deflate", "", 0)).id(new StateId(RIGHT, 0x10000, IpProtocol.COMP));
                }),
                of("IPComp of an unknown kind", Errno.ENOSYS, s -> {
                    protocol(s, IpProtocol.COMP);
                    s.compression(algorithm("squeeze", "", 0));
                }),
                of("IPComp of a kind that no kernel has code for", Errno.ENOSYS, s -> {
                    protocol(s, IpProtocol.COMP);
                    s.compression(algorithm("lzs", "", 0));
                }),
                of("IPComp in BEET mode", invalid, s -> {
                    protocol(s, IpProtocol.COMP);
                    s.compression(algorithm("deflate", "", 0)).mode(Mode.BEET);
                }),
                of("IPComp in UDP", invalid, s -> {
                    protocol(s, IpProtocol.COMP);
                    s.compression(algorithm("deflate", "", 0))
                            .encapsulation(
                                    new Encapsulation(Encapsulation.UDP_ENCAP_ESPINUDP, 4500, 4500, Address.ANY));
                }),
                of("IPComp with a replay bitmap", invalid, s -> {
                    protocol(s, IpProtocol.COMP);
                    s.compression(algorithm("deflate", "", 0)).replayWindow(0).replay(bitmap(32, 1));
                }),
                of("mobility without care-of address", invalid, s -> protocol(s, IpProtocol.ROUTING)),
                of("mobility with a security context", invalid, s -> {
                    protocol(s, IpProtocol.ROUTING);
                    s.careOfAddress(LEFT).given(StateSpec.GIVEN_SECURITY_CONTEXT);
                }),
                of("mobility, which is not there", Errno.EPROTONOSUPPORT, s -> {
                    protocol(s, IpProtocol.DSTOPTS);
                    s.careOfAddress(LEFT);
                }),
                of("ESN without bitmap", invalid, s -> s.flags(StateFlags.ESN)),
                of("bitmap of 129 words", invalid, s -> {
                    s.replayWindow(0).replay(bitmap(32, 129));
                }),
                of("bitmap beside replay_window", invalid, s -> s.replay(bitmap(64, 2))),
                of("window larger than its bitmap", invalid, s -> {
                    s.replayWindow(0).replay(bitmap(65, 2));
                }),
                of("ESN without window", invalid, s -> {
                    s.replayWindow(0).flags(StateFlags.ESN).replay(bitmap(0, 2));
                }),
                of("no mode", invalid, s -> s.mode(null)),
                of("in-trigger mode", invalid, s -> s.mode(Mode.IN_TRIGGER)),
                of("IP-TFS without direction", invalid, s -> s.mode(Mode.IPTFS)),
                of("IP-TFS, which is not there", Errno.EPROTONOSUPPORT, s -> {
                    s.mode(Mode.IPTFS).direction(StateSpec.DIRECTION_IN);
                }),
                of("route optimization of IPv4", Errno.EPROTONOSUPPORT, s -> s.mode(Mode.ROUTE_OPTIMIZATION)),
                of("route optimization of ESP", invalid, s -> {
                    s.mode(Mode.ROUTE_OPTIMIZATION).family(AddressFamily.INET6);
                }),
                of("mapping age without encapsulation", invalid, s -> s.mappingMaxAgeSeconds(10)),
                of("mapping age outbound", invalid, s -> {
                    s.mappingMaxAgeSeconds(10)
                            .encapsulation(UDP)
                            .direction(StateSpec.DIRECTION_OUT)
                            .replayWindow(0);
                }),
                of("CPU without direction", invalid, s -> s.pcpu(0)),
                of("window outbound", invalid, s -> s.direction(StateSpec.DIRECTION_OUT)),
                of("received numbers outbound", invalid, s -> {
                    s.direction(StateSpec.DIRECTION_OUT)
                            .replayWindow(0)
                            .replay(new ReplayState(0, 1, 0, 0, 0, new int[1]));
                }),
                of("bitmap outbound", invalid, s -> {
                    s.direction(StateSpec.DIRECTION_OUT).replayWindow(0).replay(bitmap(32, 1));
                }),
                of("DECAP_DSCP outbound", invalid, s -> {
                    s.direction(StateSpec.DIRECTION_OUT).replayWindow(0).flags(StateFlags.DECAP_DSCP);
                }),
                of("NOPMTUDISC inbound", invalid, s -> {
                    s.direction(StateSpec.DIRECTION_IN).flags(StateFlags.NOPMTUDISC);
                }),
                of("wrapping inbound", invalid, s -> {
                    s.direction(StateSpec.DIRECTION_IN).extraFlags(StateFlags.EXTRA_OSEQ_MAY_WRAP);
                }),
                of("sent numbers inbound", invalid, s -> {
                    s.direction(StateSpec.DIRECTION_IN)
                            .replayWindow(0)
                            .replay(new ReplayState(1, 0, 0, 0, 32, new int[1]));
                }),
                of("offload on the way in with an interface id", invalid, s -> {
                    s.offloadFlags(2).ifId(5);
                }),
                of("unknown AEAD", Errno.ENOSYS, s -> s.aead(algorithm("nope", GCM_KEY, 128))),
                of(
                        "AEAD with an ICV it has not",
                        Errno.ENOSYS,
                        s -> s.aead(algorithm("rfc4106(gcm(aes))", GCM_KEY, 120))),
                of("key too long", invalid, s -> s.aead(algorithm("rfc4106(gcm(aes))", GCM_KEY + "00", 128))),
                of("unknown AUTH", Errno.ENOSYS, s -> {
                    s.aead(null).cipher(cbc()).auth(algorithm("hmac(nope)", "00", 96));
                }),
                of("truncation longer than the digest", invalid, s -> {
                    s.aead(null).cipher(cbc()).auth(sha256(264)).authTruncated(true);
                }),
                of("cipher key too short", invalid, s -> {
                    s.aead(null).cipher(algorithm("cbc(aes)", "0011", 0)).auth(sha256(96));
                }),
                of("ESN with an ICV of two bytes", invalid, s -> {
                    s.aead(null)
                            .cipher(cbc())
                            .auth(sha256(16))
                            .authTruncated(true)
                            .replayWindow(0)
                            .flags(StateFlags.ESN)
                            .replay(bitmap(32, 1));
                }),
                of("transport mode with another family inside", Errno.EPROTONOSUPPORT, s -> {
                    s.mode(Mode.TRANSPORT).selector(prefixes(AddressFamily.INET6, 0, 0));
                }),
                of("ESP in TCP", invalid, s -> s.encapsulation(new Encapsulation(7, 1, 1, Address.ANY))),
                of("keepalive without direction", invalid, s -> {
                    s.natKeepaliveSeconds(20).encapsulation(UDP);
                }),
                of("keepalive without encapsulation", invalid, s -> {
                    s.natKeepaliveSeconds(20).direction(StateSpec.DIRECTION_OUT).replayWindow(0);
                }));
    }

    @ParameterizedTest(name = "{0} is {1}")
    @MethodSource("refusals")
    void shouldRefuseAsTheKernelDoes(String what, Errno errno, Consumer<StateSpecBuilder> change) {
        refused(errno, () -> engine.addState(esp(1, change), ASKER));
        refused(errno, () -> engine.updateState(esp(1, change), ASKER));
    }

    static Stream<Arguments> acceptances() {
        return Stream.of(
                Arguments.of("BEET with another family inside", change(s -> {
                    s.mode(Mode.BEET).selector(prefixes(AddressFamily.INET6, 128, 128));
                })),
                Arguments.of("encryption alone", change(s -> {
                    s.aead(null).cipher(cbc());
                })),
                Arguments.of("ESN outbound without a window", change(s -> {
                    s.direction(StateSpec.DIRECTION_OUT)
                            .flags(StateFlags.ESN)
                            .replayWindow(0)
                            .replay(bitmap(0, 0));
                })),
                Arguments.of("ESN with 4096 bits", change(s -> {
                    s.flags(StateFlags.ESN).replayWindow(0).replay(bitmap(4096, 128));
                })),
                Arguments.of("UDP encapsulation with keepalive", change(s -> {
                    s.direction(StateSpec.DIRECTION_OUT)
                            .replayWindow(0)
                            .encapsulation(UDP)
                            .natKeepaliveSeconds(20);
                })),
                Arguments.of("offload on the way out with an interface id", change(s -> {
                    s.offloadFlags(0).ifId(5);
                })),
                Arguments.of("TFC padding in tunnel mode", change(s -> s.tfcPadBytes(1400))));
    }

    private static Consumer<StateSpecBuilder> change(Consumer<StateSpecBuilder> change) {
        return change;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("acceptances")
    void shouldAccept(String what, Consumer<StateSpecBuilder> change) {
        assertDoesNotThrow(() -> engine.addState(esp(1, change), ASKER));
    }

    @Test
    void shouldGiveTheSelectorTheStatesFamilyWhenItNamesNone() throws XfrmException {
        State state = engine.addState(esp(1), ASKER);
        State unspecified = engine.addState(esp(2, s -> s.flags(StateFlags.AF_UNSPEC)), ASKER);

        assertEquals(AddressFamily.INET, state.spec().selector().family());
        assertEquals(AddressFamily.UNSPEC, unspecified.spec().selector().family());
    }

    @Test
    void shouldKeepAlgorithmsUnderTheirFullNameWithTheIcvInForce() throws XfrmException {
        StateSpec spec = engine.addState(
                        esp(1, s -> {
                            s.aead(null)
                                    .cipher(algorithm("aes", "00112233445566778899aabbccddeeff", 0))
                                    .auth(algorithm("sha256", "0011", 0));
                        }),
                        ASKER)
                .spec();

        assertEquals("cbc(aes)", spec.cipher().name());
        assertEquals("hmac(sha256)", spec.auth().name());
        assertEquals(96, spec.auth().icvBits());
    }

    @Test
    void shouldLimitTheOldWindowTo32BitsAndSetTheDefaultThresholds() throws XfrmException {
        StateSpec spec =
                engine.addState(esp(1, s -> s.replayWindow(255)), ASKER).spec();

        assertEquals(32, spec.replayWindow());
        assertEquals(2, spec.replayMaxDifference());
        assertEquals(10, spec.replayMaxAge());
    }

    @Test
    void shouldSayWhyInWords() {
        XfrmException refusal = assertThrows(
                XfrmException.class, () -> engine.addState(esp(1, s -> protocol(s, IpProtocol.AH)), ASKER));

        assertEquals("AH needs an AUTH or AUTH_TRUNC algorithm", refusal.getMessage());
    }
}
