package org.xfrmbridge.demo;

import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Map;
import org.xfrmbridge.lab.Charon;
import org.xfrmbridge.lab.LabException;

/** Keys negotiated by strongSwan: an unmodified charon on each host, which takes the bridge for its kernel. */
final class CharonKeys implements KeySource {
    private static final int SECRET_BYTES = 16;
    /**
     * The hosts have routes already; of charon's own, that for IPv6 in IPv4 would lack a gateway, as on any host, and
     * neighbour discovery for the inner address would show it.
     */
    private static final Map<String, String> OPTIONS = Map.of("install_routes", "no");

    @Override
    public String title() {
        return "Keys by strongSwan: an unmodified charon on each host";
    }

    @Override
    public void install(DemoLab lab, Screen screen) {
        byte[] random = new byte[SECRET_BYTES];
        new SecureRandom().nextBytes(random);
        String secret = HexFormat.of().formatHex(random);
        screen.typed("xfrm-bridge exec -- charon-systemd");
        Charon onA = start(lab, lab.a());
        Charon onB = start(lab, lab.b());
        onA.load(connection(lab.a(), lab.b(), secret));
        onB.load(connection(lab.b(), lab.a(), secret));
        screen.held(onA.swanctl("--version", "--daemon").strip().replaceAll("\\s+", " "));
        screen.typed("swanctl --initiate --child demo");
        if (!onA.control("--initiate", "--child", "demo", "--timeout", "25")
                .result()
                .succeeded()) {
            throw new LabException("the two charons did not agree on an SA");
        }
        screen.quote(onA.swanctl("--list-sas"));
        screen.held("IKE_SA and CHILD_SA are up");
    }

    private static Charon start(DemoLab lab, DemoHost host) {
        return Charon.start(lab, host.gateway().host(), host.bridge(), OPTIONS);
    }

    /** swanctl.conf: one connection with one tunnel for both inner addresses. */
    static String connection(DemoHost local, DemoHost remote, String secret) {
        return """
                connections {
                    demo {
                        version = 2
                        local_addrs = %1$s
                        remote_addrs = %2$s
                        local {
                            auth = psk
                            id = %1$s
                        }
                        remote {
                            auth = psk
                            id = %2$s
                        }
                        children {
                            demo {
                                mode = tunnel
                                esp_proposals = aes128gcm16
                                local_ts = %3$s
                                remote_ts = %4$s
                            }
                        }
                    }
                }
                secrets {
                    ike-demo {
                        secret = "%5$s"
                    }
                }
                """.formatted(
                        local.outer(),
                        remote.outer(),
                        String.join(",", local.selectors()),
                        String.join(",", remote.selectors()),
                        secret);
    }
}
