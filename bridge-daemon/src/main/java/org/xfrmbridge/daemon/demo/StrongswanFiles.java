package org.xfrmbridge.daemon.demo;

import java.nio.file.Path;

/** The configuration of one host's charon: private files, so that nothing of the machine's own is read or changed. */
final class StrongswanFiles {
    /** All that a demo needs of what Debian's packages may bring; charon passes over the absent ones. */
    private static final String PLUGINS =
            "random nonce aes sha1 sha2 hmac kdf gmp openssl gcm curve25519 kernel-netlink socket-default vici updown";

    private StrongswanFiles() {}

    /**
     * strongswan.conf: plugins, the control socket, the log. The hosts have routes already; of charon's own, that for
     * IPv6 in IPv4 would lack a gateway, as on any host, and neighbour discovery for the inner address would show it.
     */
    static String daemon(String viciUri, Path log) {
        return """
                charon-systemd {
                    load_modular = no
                    load = %s
                    install_routes = no
                    plugins {
                        vici {
                            socket = %s
                        }
                    }
                    syslog {
                        daemon {
                            default = -1
                        }
                    }
                    filelog {
                        log {
                            path = %s
                            flush_line = yes
                            default = 1
                        }
                    }
                }
                swanctl {
                    load = random nonce openssl
                }
                """.formatted(PLUGINS, viciUri, log);
    }

    /** swanctl.conf: one connection with one tunnel for both inner addresses. */
    static String connection(Host local, Host remote, String secret) {
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
                        local.outer4(),
                        remote.outer4(),
                        String.join(",", local.inner()),
                        String.join(",", remote.inner()),
                        secret);
    }
}
