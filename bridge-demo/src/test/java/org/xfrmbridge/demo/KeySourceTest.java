package org.xfrmbridge.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.demo.ManualKeys.Sa;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Gateway.Addresses;

/** What the two key sources write for ip and for strongSwan. */
class KeySourceTest {
    private final DemoHost a = host("A", 1);
    private final DemoHost b = host("B", 2);
    private final Sa forth = new Sa(a, b, 0x1001, "00".repeat(20));
    private final Sa back = new Sa(b, a, 0x1002, "ff".repeat(20));

    private static DemoHost host(String name, int number) {
        Addresses outer = new Addresses("192.0.2." + number, null);
        Addresses inner = new Addresses("198.18.0." + number, "2001:db8:18::" + number);
        return new DemoHost(name, new Gateway(null, null, outer, inner));
    }

    @Test
    void shouldGiveEachHostBothSasWhenKeysAreManual() {
        String state =
                "xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x00001001 reqid 1 mode tunnel flag af-unspec"
                        + " replay-window 32 aead rfc4106(gcm(aes)) 0x" + "00".repeat(20) + " 128";
        assertEquals(state, ManualKeys.batch(forth, back).lines().findFirst().orElseThrow());
        List<String> states = ManualKeys.batch(back, forth)
                .lines()
                .filter(line -> line.startsWith("xfrm state"))
                .toList();
        assertEquals(2, states.size());
        assertEquals(state, states.getLast());
    }

    @Test
    void shouldProtectOutInAndForwardWhenKeysAreManual() {
        List<String> policies = ManualKeys.batch(forth, back)
                .lines()
                .filter(line -> line.contains("198.18.0."))
                .toList();
        assertEquals(
                List.of(
                        "xfrm policy add src 198.18.0.1/32 dst 198.18.0.2/32 dir out tmpl src 192.0.2.1 dst "
                                + "192.0.2.2 proto esp reqid 1 mode tunnel",
                        "xfrm policy add src 198.18.0.2/32 dst 198.18.0.1/32 dir in tmpl src 192.0.2.2 dst "
                                + "192.0.2.1 proto esp reqid 1 mode tunnel",
                        "xfrm policy add src 198.18.0.2/32 dst 198.18.0.1/32 dir fwd tmpl src 192.0.2.2 dst "
                                + "192.0.2.1 proto esp reqid 1 mode tunnel"),
                policies);
    }

    @Test
    void shouldUseNewKeyEachTimeAndNeverShowItWhenSaIsMade() {
        Sa fresh = Sa.fresh(a, b, 0x1001);
        assertEquals(40, fresh.key().length());
        assertNotEquals(fresh.key(), Sa.fresh(a, b, 0x1001).key());
        assertEquals("SA 1001 from host A to host B", fresh.toString());
    }

    @Test
    void shouldMirrorAddressesWhenStrongswanNegotiates() {
        String onA = CharonKeys.connection(a, b, "word");
        String onB = CharonKeys.connection(b, a, "word");
        assertTrue(onA.contains("local_addrs = 192.0.2.1\n") && onB.contains("remote_addrs = 192.0.2.1\n"), onA + onB);
        assertTrue(onA.contains("local_ts = 198.18.0.1/32") && onB.contains("remote_ts = 198.18.0.1/32"), onA + onB);
        assertTrue(onA.contains("secret = \"word\""), onA);
        assertEquals(
                onA.chars().filter(c -> c == '{').count(),
                onA.chars().filter(c -> c == '}').count());
    }
}
