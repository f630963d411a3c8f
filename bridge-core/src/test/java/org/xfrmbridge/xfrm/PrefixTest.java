package org.xfrmbridge.xfrm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.math.BigInteger;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Prefixes against arithmetic on whole numbers of 128 bits. */
class PrefixTest {
    @ParameterizedTest
    @CsvSource({
        "2001:db8::1, 2001:db8::2, 128, false",
        "2001:db8::1, 2001:db8::1, 128, true",
        "2001:db8::2, 2001:db8::3, 127, true",
        "2001:db8::1, 2001:db8::8000:0:0:1, 64, true",
        "2001:db8::1, 2001:db8::8000:0:0:1, 65, false",
        "2001:db8::1, fe80::1, 0, true"
    })
    void shouldCompareWhatThePrefixCovers(String one, String other, int prefixBits, boolean same) {
        assertEquals(same, Address.parse(one).sharesPrefix(Address.parse(other), prefixBits));
        assertEquals(
                same,
                selector(Address.parse(one), prefixBits).matches(flow(Address.parse(other)), AddressFamily.INET6));
    }

    @Test
    void shouldCompareAsNumbersDo() {
        Random random = new Random(4301);
        for (int i = 0; i < 20_000; i++) {
            Address one = new Address(random.nextLong(), random.nextLong());
            int bit = random.nextInt(128);
            Address other = bit < 64
                    ? new Address(one.high() ^ 1L << (63 - bit), one.low())
                    : new Address(one.high(), one.low() ^ 1L << (127 - bit));
            int prefixBits = random.nextInt(129);
            boolean same = number(one)
                    .shiftRight(128 - prefixBits)
                    .equals(number(other).shiftRight(128 - prefixBits));

            assertEquals(same, one.sharesPrefix(other, prefixBits));
            assertEquals(same, selector(one, prefixBits).matches(flow(other), AddressFamily.INET6));
        }
    }

    private static BigInteger number(Address address) {
        return new BigInteger("%016x%016x".formatted(address.high(), address.low()), 16);
    }

    private static Selector selector(Address daddr, int prefixBits) {
        return Selector.of(AddressFamily.INET6).daddr(daddr, prefixBits).build();
    }

    private static Flow flow(Address daddr) {
        Flow flow = new Flow();
        flow.family = AddressFamily.INET6;
        flow.daddrHigh = daddr.high();
        flow.daddrLow = daddr.low();
        return flow;
    }
}
