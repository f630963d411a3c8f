package org.xfrmbridge.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.daemon.Commands.Result;

/** {@code xfrm-bridge-updown}: what it asks of iptables and of libreswan's own script, for what daemons tell it. */
class UpdownTest {
    private static final String SCRIPT =
            Path.of("src/main/sh/xfrm-bridge-updown").toAbsolutePath().toString();

    private static final Map<String, String> STRONGSWAN = Map.of(
            "PLUTO_VERSION", "1.1",
            "PLUTO_CONNECTION", "net",
            "PLUTO_INTERFACE", "eth0",
            "PLUTO_ME", "192.0.2.1",
            "PLUTO_PEER", "192.0.2.2",
            "PLUTO_PEER_ID", "peer",
            "PLUTO_MY_PORT", "0",
            "PLUTO_PEER_PORT", "0",
            "PLUTO_MY_PROTOCOL", "0",
            "PLUTO_PEER_PROTOCOL", "0");

    @TempDir
    private Path directory;

    /** Programs that only say how they were called. */
    @BeforeEach
    void standIn() throws Exception {
        for (String name : new String[] {"iptables", "ip6tables", "ipsec", "logger"}) {
            Path program = directory.resolve(name);
            Files.writeString(program, "#!/bin/sh\necho " + name + " $*${NFLOG:+ nflog}${CAT:+ cat}\n");
            Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
    }

    @Test
    void shouldLetForwardedPacketsPass() throws Exception {
        Map<String, String> networks = Map.of("PLUTO_MY_CLIENT", "10.1.0.0/16", "PLUTO_PEER_CLIENT", "10.2.0.0/16");
        assertEquals("""
                iptables -w -I FORWARD 1 -o xfrm0 -p 0 -s 10.1.0.0/16 -d 10.2.0.0/16 -j ACCEPT
                iptables -w -I FORWARD 1 -i xfrm0 -p 0 -s 10.2.0.0/16 -d 10.1.0.0/16 -j ACCEPT
                logger -t vpn -p local0.notice -- + peer 10.2.0.0/16 == 192.0.2.2 -- 192.0.2.1 == 10.1.0.0/16
                """, strongswan("up-client", networks, "iptables"));
        assertEquals("""
                iptables -w -D FORWARD -o xfrm0 -p 0 -s 10.1.0.0/16 -d 10.2.0.0/16 -j ACCEPT
                iptables -w -D FORWARD -i xfrm0 -p 0 -s 10.2.0.0/16 -d 10.1.0.0/16 -j ACCEPT
                logger -t vpn -p local0.notice -- - peer 10.2.0.0/16 == 192.0.2.2 -- 192.0.2.1 == 10.1.0.0/16
                """, strongswan("down-client", networks, "iptables"));
    }

    @Test
    void shouldLetTheHostsOwnPacketsPassByAnyInterface() throws Exception {
        assertEquals(
                """
                ip6tables -w -I INPUT 1 -i vpn0 -p 17 -s 2001:db8::2/128 -d 2001:db8::1 --sport 1000 --dport 1701 \
                -j ACCEPT
                ip6tables -w -I OUTPUT 1 -p 17 -s 2001:db8::1 -d 2001:db8::2/128 --sport 1701 --dport 1000 -j ACCEPT
                logger -t vpn -p local0.notice -- + peer 2001:db8::2 -- 2001:db8::1
                """,
                strongswan(
                        "up-host-v6",
                        Map.of(
                                "PLUTO_ME", "2001:db8::1",
                                "PLUTO_PEER", "2001:db8::2",
                                "PLUTO_PEER_CLIENT", "2001:db8::2/128",
                                "PLUTO_MY_PROTOCOL", "17",
                                "PLUTO_PEER_PROTOCOL", "17",
                                "PLUTO_MY_PORT", "1701",
                                "PLUTO_PEER_PORT", "1000"),
                        "--tap",
                        "vpn0",
                        "iptables"));
    }

    @Test
    void shouldLetARoadWarriorUseItsVirtualAddress() throws Exception {
        assertEquals(
                """
                iptables -w -I FORWARD 1 -o xfrm0 -p 1 -s 10.1.0.5/32 -d 0.0.0.0/0 --icmp-type 8 -j ACCEPT
                iptables -w -I FORWARD 1 -i xfrm0 -p 1 -s 0.0.0.0/0 -d 10.1.0.5/32 --icmp-type 8 -j ACCEPT
                iptables -w -I INPUT 1 -i xfrm0 -p 1 -s 0.0.0.0/0 -d 10.1.0.5/32 --icmp-type 8 -j ACCEPT
                iptables -w -I OUTPUT 1 -p 1 -s 10.1.0.5/32 -d 0.0.0.0/0 --icmp-type 8 -j ACCEPT
                logger -t vpn -p local0.notice -- + peer 0.0.0.0/0 == 192.0.2.2 -- 192.0.2.1 == 10.1.0.5/32
                """,
                strongswan(
                        "up-client",
                        Map.of(
                                "PLUTO_MY_CLIENT", "10.1.0.5/32",
                                "PLUTO_PEER_CLIENT", "0.0.0.0/0",
                                "PLUTO_MY_SOURCEIP", "10.1.0.5",
                                "PLUTO_MY_PROTOCOL", "1",
                                "PLUTO_PEER_PROTOCOL", "1",
                                "PLUTO_MY_PORT", "8"),
                        "iptables"));
    }

    @Test
    void shouldMakeNoRulesUnlessAsked() throws Exception {
        assertEquals("", strongswan("up-client", Map.of()));
    }

    @ParameterizedTest
    @CsvSource({
        "route-client, -I",
        "down-client, -D",
    })
    void shouldLeaveAllButRulesToLibreswan(String verb, String how) throws Exception {
        Map<String, String> told = Map.of(
                "PLUTO_STACK", "xfrm",
                "PLUTO_CONNECTION", "net",
                "PLUTO_MY_CLIENT", "10.1.0.0/16",
                "PLUTO_PEER_CLIENT", "10.2.0.0/16",
                "NFLOG", "7");
        assertEquals("""
                ipsec _updown --route yes
                iptables -w -t mangle HOW POSTROUTING -o xfrm0 -s 10.1.0.0/16 -d 10.2.0.0/16 \
                -j NFLOG --nflog-group 7 --nflog-prefix net
                iptables -w HOW INPUT -i xfrm0 -s 10.2.0.0/16 -d 10.1.0.0/16 \
                -j NFLOG --nflog-group 7 --nflog-prefix net
                """.replace("HOW", how), run(0, verb, told, "--route", "yes"));
    }

    @Test
    void shouldSayThatLibreswansTranslationIsLeftOut() throws Exception {
        assertEquals("""
                xfrm-bridge-updown: client address translation (cat=yes) of net is left out: it needs a kernel's own \
                IPsec.
                ipsec _updown
                """, run(0, "up-client", Map.of("PLUTO_STACK", "xfrm", "PLUTO_CONNECTION", "net", "CAT", "YES")));
    }

    @Test
    void shouldTellTheDaemonOfWhatFails() throws Exception {
        Files.writeString(directory.resolve("iptables"), "#!/bin/sh\nexit 4\n");
        run(1, "up-host", STRONGSWAN, "iptables");
        Files.writeString(directory.resolve("ipsec"), "#!/bin/sh\nexit 4\n");
        run(1, "up-host", Map.of("PLUTO_STACK", "xfrm"));
        run(1, "sideways", STRONGSWAN, "iptables");
        run(2, "up-host", STRONGSWAN, "nftables");
    }

    private String strongswan(String verb, Map<String, String> told, String... arguments) throws Exception {
        Map<String, String> all = new HashMap<>(STRONGSWAN);
        all.putAll(told);
        return run(0, verb, all, arguments);
    }

    private String run(int status, String verb, Map<String, String> told, String... arguments) throws Exception {
        ProcessBuilder builder = new ProcessBuilder("sh", SCRIPT);
        builder.command().addAll(List.of(arguments));
        builder.environment().put("PATH", directory + ":" + System.getenv("PATH"));
        builder.environment().put("PLUTO_VERB", verb);
        builder.environment().putAll(told);
        Result result = Commands.run(builder);
        assertEquals(status, result.status(), result.output());
        return result.output();
    }
}
