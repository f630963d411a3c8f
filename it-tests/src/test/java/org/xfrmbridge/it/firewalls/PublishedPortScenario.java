package org.xfrmbridge.it.firewalls;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.it.containers.DockerEngine;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Gateway.Family;

/**
 * Why: Docker drops what is forwarded, masquerades its networks and translates the addresses of published ports, and
 * with br_netfilter all that meets frames of its bridge, too. Topology: FirewalledSite with an engine on the gateway,
 * which makes its own rules; a container in its default network, one in a network that the tunnel is for. Steps: the
 * published port is asked through the tunnel and beside it; containers ask the far network and the world; the commands
 * of docs/firewall.md let the client's network pass. Expected: published ports answer whoever asks as what he is; what
 * containers send is masqueraded unless a policy protects it; nothing of the far network is in the clear.
 */
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.BRIDGE,
    Requirement.TCPDUMP,
    Requirement.IPTABLES,
    Requirement.DOCKER,
    Requirement.DEBIAN_PYTHON
})
class PublishedPortScenario {
    private static final String IMAGE = "links";
    /** All that is in it is this machine's. */
    private static final String MAKE_IMAGE = """
            mkdir -p '%1$s'
            cd '%1$s'
            for link in bin sbin lib lib64; do ln -s usr/$link $link; done
            mkdir -p usr proc sys dev etc tmp
            tar -cf ../image.tar .
            """;

    /** Where there is br_netfilter. */
    private static final String BRIDGED_FRAMES =
            "calls=/proc/sys/net/bridge/bridge-nf-call-iptables; [ ! -e $calls ] || echo 1 >$calls";

    private static final int PUBLISHED = 8001;
    /** That of docs/firewall.md, whose addresses are protected. */
    private static final String NETWORK = "office";

    @Test
    void shouldReachPublishedPortsThroughTheTunnel() {
        try (FirewalledSite site = FirewalledSite.start("published-port")) {
            // Where it turns forwarding on itself, it drops what is forwarded.
            site.host().sysctl("ipv4.ip_forward", 0);
            DockerEngine engine = DockerEngine.startOn(site.scene(), site.host());
            site.host().run("sh", "-ec", BRIDGED_FRAMES);
            importImage(site, engine);
            for (String command : Documentation.commands("Docker", "docker network create")) {
                List<String> words = List.of(command.split(" "));
                engine.docker(words.subList(1, words.size()).toArray(String[]::new))
                        .run();
            }
            run(
                    site,
                    engine,
                    "published",
                    "bridge",
                    "--publish",
                    PUBLISHED + ":7005/udp",
                    "--publish",
                    PUBLISHED + ":7005/tcp");
            String inner = run(site, engine, "inner", NETWORK);
            assertPublished(site);
            assertEquals("7001 " + Place.OUTSIDE.address(Family.IPV4), ask(engine, "published", Place.WORLD));
            assertEquals("7001 " + Place.OUTSIDE.address(Family.IPV4), ask(engine, "inner", Place.WORLD));
            assertEquals("7001 " + inner, ask(engine, "inner", Place.FAR));
            site.host().run("sh", "-ec", """
                    iptables -I DOCKER-USER -p udp --dport 7009 -j ACCEPT
                    iptables -I DOCKER-USER -p udp --sport 7009 -j ACCEPT
                    """);
            int[] ports = {7002};
            site.assertAnswer(Place.FAR, Place.CLIENT, Family.IPV4, ports);
            for (String command : Documentation.commands("Docker", "iptables -I DOCKER-USER")) {
                site.host().run("sh", "-ec", command);
            }
            site.assertAnswer(Place.FAR, Place.CLIENT, Family.IPV4, ports, ports);
            site.assertAnswer(Place.CLIENT, Place.FAR, Family.IPV4, ports, ports);
            site.assertAnswer(Place.WORLD, Place.GUEST, Family.IPV4, ports);
            site.assertNothingClear();
        }
    }

    private static void assertPublished(FirewalledSite site) {
        String far = PUBLISHED + " " + Place.FAR.address(Family.IPV4);
        assertEquals(far, site.ask(Place.FAR, Place.GATEWAY, Family.IPV4, PUBLISHED));
        assertEquals(far, site.connect(Place.FAR, Place.GATEWAY, Family.IPV4, PUBLISHED));
        String world = PUBLISHED + " " + Place.WORLD.address(Family.IPV4);
        assertEquals(world, site.ask(Place.WORLD, Place.OUTSIDE, Family.IPV4, PUBLISHED));
        assertEquals(world, site.connect(Place.WORLD, Place.OUTSIDE, Family.IPV4, PUBLISHED));
    }

    private static void importImage(FirewalledSite site, DockerEngine engine) {
        Path root = site.scene().file("image");
        Command.of("sh", "-ec", MAKE_IMAGE.formatted(root)).run();
        engine.docker("import", root.resolveSibling("image.tar").toString(), IMAGE)
                .run();
    }

    /** Starts a container that answers at port 7005. Returns its address. */
    private static String run(
            FirewalledSite site, DockerEngine engine, String name, String network, String... published) {
        List<String> line = new ArrayList<>(List.of("run", "--detach", "--rm"));
        line.addAll(List.of("--name", name, "--network", network));
        line.addAll(List.of(published));
        line.addAll(List.of("--volume", "/usr:/usr:ro", "--volume", site.probe() + ":/probe.py:ro", IMAGE));
        line.addAll(List.of(Requirement.PYTHON, "/probe.py", "serve", "7005", "0.0.0.0"));
        AutoCloseable removal = () -> engine.docker("rm", "--force", name).run();
        site.scene().own(removal);
        engine.docker(line.toArray(String[]::new)).run();
        return engine.docker("inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", name)
                .run()
                .strip();
    }

    private static String ask(DockerEngine engine, String container, Place to) {
        String[] line = {
            "exec",
            container,
            Requirement.PYTHON,
            "/probe.py",
            "ask",
            "udp",
            "0.0.0.0",
            to.address(Family.IPV4),
            "7001",
            "",
            "10000"
        };
        return engine.docker(line).run().strip();
    }
}
