package org.xfrmbridge.demo;

import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.xfrmbridge.lab.Lab;

/** Keys without negotiation: {@code ip xfrm} puts the same two SAs into both bridges. */
final class ManualKeys implements KeySource {
    /** An AES-128 key and the four bytes of salt that RFC 4106 wants behind it. */
    private static final int KEY_BYTES = 20;

    private static final int ICV_BITS = 128;
    private static final String REQID = "1";

    @Override
    public String title() {
        return "Keys by hand: SAs and policies put in by ip xfrm";
    }

    @Override
    public void install(DemoLab lab, Screen screen) {
        Sa forth = Sa.fresh(lab.a(), lab.b(), 0x1001);
        Sa back = Sa.fresh(lab.b(), lab.a(), 0x1002);
        screen.typed("xfrm-bridge exec -- ip -batch host-A.xfrm     (the same with B)");
        install(lab, lab.a(), batch(forth, back));
        install(lab, lab.b(), batch(back, forth));
        screen.held(
                "two SAs on each host, AES-128-GCM, with random keys made for this run, and policies that want them");
    }

    private static void install(DemoLab lab, DemoHost host, String batch) {
        Path file = Lab.write(lab.file(host.gateway().host().role() + ".xfrm"), batch);
        host.bridge().run("ip", "-batch", file.toString());
    }

    /** One SA: from where to where, and its key in hex. */
    record Sa(DemoHost from, DemoHost to, int spi, String key) {
        static Sa fresh(DemoHost from, DemoHost to, int spi) {
            byte[] key = new byte[KEY_BYTES];
            new SecureRandom().nextBytes(key);
            return new Sa(from, to, spi, HexFormat.of().formatHex(key));
        }

        @Override
        public String toString() {
            return "SA " + Integer.toHexString(spi) + " from " + from + " to " + to;
        }

        /** The SA in the form of {@code ip}; both families of inner addresses may use it. */
        private String toState() {
            return ("xfrm state add src %s dst %s proto esp spi 0x%08x reqid %s mode tunnel flag af-unspec "
                            + "replay-window 32 aead rfc4106(gcm(aes)) 0x%s %d")
                    .formatted(from.outer(), to.outer(), spi, REQID, key, ICV_BITS);
        }

        private String toPolicy(String source, String destination, String direction) {
            return "xfrm policy add src %s dst %s dir %s tmpl src %s dst %s proto esp reqid %s mode tunnel"
                    .formatted(source, destination, direction, from.outer(), to.outer(), REQID);
        }

        private List<String> toPolicies(String... directions) {
            List<String> lines = new ArrayList<>();
            for (String direction : directions) {
                for (int family = 0; family < from.selectors().size(); family++) {
                    lines.add(toPolicy(
                            from.selectors().get(family), to.selectors().get(family), direction));
                }
            }
            return lines;
        }
    }

    /** What one host gets: a batch file of {@code ip}. */
    static String batch(Sa outbound, Sa inbound) {
        List<String> lines = new ArrayList<>(List.of(outbound.toState(), inbound.toState()));
        lines.addAll(outbound.toPolicies("out"));
        lines.addAll(inbound.toPolicies("in", "fwd"));
        return String.join("\n", lines) + '\n';
    }
}
