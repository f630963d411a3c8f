package org.xfrmbridge.it.containers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.xfrmbridge.it.containers.ContainerCommand.must;
import static org.xfrmbridge.it.containers.ContainerCommand.run;

import com.github.dockerjava.api.model.Bind;
import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.Device;
import com.github.dockerjava.api.model.HostConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.utility.DockerImageName;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.it.harness.Sniffer;
import org.xfrmbridge.it.pfkey.PfkeyProgram;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Lab;
import org.xfrmbridge.lab.Namespace;

/**
 * Why: who takes the image knows Docker and not the bridge: it must be ready, healthy, and end as other images.
 * Topology: two containers on Docker's default bridge; a third in the network of one; those of {@code compose.yaml}.
 * Steps: make the package of what is built, and the image of it by {@code docker build}; run it with strongSwan on a
 * root that cannot be written, alone beside an image that knows nothing of it, alone in the stack and on {@code eth0},
 * and as {@code compose.yaml} says; restart it again and again. Expected: every ping answered, as ESP; Docker's names
 * are found and a published port is reached; a stopped container says goodbye to its peer, a restarted one is ready; no
 * dead processes are left.
 */
@Tag("alone")
@EnabledIfSystemProperty(named = "container.image", matches = "true", disabledReason = "in nightly runs")
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.TCPDUMP,
    Requirement.DOCKER,
    Requirement.BRIDGE,
    Requirement.PACKAGING
})
class ImageScenario {
    private static final String IMAGE = "xfrm-bridge";
    private static final String CLIENT_IMAGE = "xfrm-bridge-client";
    private static final Path HOME = BridgeProcess.program().getParent();
    private static final Duration PACKAGE_LIMIT = Duration.ofMinutes(8);
    private static final Duration COMPOSE_LIMIT = Duration.ofMinutes(3);
    private static final Duration READY_LIMIT = Duration.ofSeconds(60);
    private static final int STOP_LIMIT_S = 30;
    private static final int PINGS = 10;
    private static final int RESTARTS = 20;
    private static final int PORT = 8080;
    private static final String SERVER = "my $s = IO::Socket::INET->new(Listen => 5, LocalPort => " + PORT + ") or die;"
            + " while (my $c = $s->accept) { print $c \"published\\n\"; close $c }";
    private static final String PROTECTED = "203.0.113.0/24";
    private static final Scene SHARED = new Scene("image-engine");

    private static DockerEngine engine;

    @BeforeAll
    static void buildImages() {
        Command.of(HOME.resolve("package").toString(), "--no-build")
                .within(PACKAGE_LIMIT)
                .run();
        DockerEngine.build(SHARED, Map.of(IMAGE, HOME, CLIENT_IMAGE, HOME.resolve("packaging/container/client")));
        // One for all tests: Testcontainers keeps its connections.
        engine = DockerEngine.start(SHARED);
    }

    @AfterAll
    static void end() {
        SHARED.close();
    }

    @Test
    void shouldRunStrongSwanOnARootThatCannotBeWritten() {
        try (Scene scene = new Scene("image")) {
            GenericContainer<?> left = scene.own(gateway(scene, "left", "%any"));
            left.start();
            Sniffer sniffer = Sniffer.start(scene, engine.namespace(), DockerEngine.WIRE);
            GenericContainer<?> right = scene.own(gateway(scene, "right", address(left)));
            right.start();
            awaitTunnel(right);

            assertPings(right, left, sniffer);

            right.getDockerClient()
                    .stopContainerCmd(right.getContainerId())
                    .withTimeout(STOP_LIMIT_S)
                    .exec();
            assertEquals(0L, right.getCurrentContainerInfo().getState().getExitCodeLong(), right::getLogs);
            Await.until(
                    "its peer to hear of the end",
                    READY_LIMIT,
                    () -> must(left, "swanctl", "--list-sas").isBlank());
        }
    }

    @Test
    void shouldServeAContainerBesideIt() {
        try (Scene scene = new Scene("image-sidecar")) {
            Path sockets = scene.file("sockets");
            GenericContainer<?> peer = scene.own(gateway(scene, "peer", "%any"));
            peer.start();
            Sniffer sniffer = Sniffer.start(scene, engine.namespace(), DockerEngine.WIRE);
            GenericContainer<?> bridge = scene.own(bridge(bind(sockets, "/run/xfrm-bridge")));
            bridge.start();
            GenericContainer<?> strongSwan = new GenericContainer<>(DockerImageName.parse(DockerEngine.IMAGE));
            scene.own(strongSwan);
            strongSwan.withNetworkMode("container:" + bridge.getContainerId());
            strongSwan.withCommand("charon-systemd");
            strongSwan.withEnv("LD_PRELOAD", "/run/xfrm-bridge/libxfrm-bridge.so");
            strongSwan.withEnv("XFRM_BRIDGE_DIR", "/run/xfrm-bridge");
            Bind configuration = configuration(scene, "beside", address(peer));
            strongSwan.withCreateContainerCmdModifier(create -> create.getHostConfig()
                    .withCapAdd(Capability.NET_ADMIN)
                    .withBinds(bind(sockets, "/run/xfrm-bridge"), configuration));
            strongSwan.start();
            Await.until(
                    "charon to take its configuration",
                    READY_LIMIT,
                    () -> run(strongSwan, "swanctl", "--load-all").getExitCode() == 0);
            awaitTunnel(strongSwan);

            assertPings(bridge, peer, sniffer);
            must(bridge, "sh", "-c", "(sleep 0.1 &); sleep 1");
            Await.until(
                    "orphans to be reaped", READY_LIMIT, () -> states(bridge).indexOf('Z') < 0);
        }
    }

    @Test
    void shouldServeAnImageOfMusl() throws IOException {
        assumeTrue(
                Files.exists(HOME.resolve("bridge-daemon/target/libxfrm-bridge-musl.so")),
                "needs musl-gcc (package musl-tools), and the library built with it");
        try (Scene scene = new Scene("image-musl")) {
            Path client = PfkeyProgram.compile(scene, "musl-gcc", "-idirafter", "/usr/include", "-idirafter", gnu());
            Path root = scene.file("root");
            Path loader = loader(client);
            Files.createDirectories(root.resolve("lib"));
            Files.copy(client, root.resolve("client"), StandardCopyOption.COPY_ATTRIBUTES);
            Files.copy(loader, root.resolve("lib").resolve(loader.getFileName()), StandardCopyOption.COPY_ATTRIBUTES);
            String tar = scene.file("root.tar").toString();
            Command.of("tar", "--create", "--file", tar, "--directory", root.toString(), ".")
                    .run();
            engine.docker("import", tar, "xfrm-bridge-musl").run();
            Path sockets = scene.file("sockets");
            GenericContainer<?> bridge = scene.own(bridge(bind(sockets, "/run/xfrm-bridge")));
            bridge.start();

            String taken = engine.docker(
                            "run",
                            "--rm",
                            "--network=container:" + bridge.getContainerId(),
                            "--cap-add=NET_ADMIN",
                            "--volume=" + sockets + ":/run/xfrm-bridge",
                            "--env=XFRM_BRIDGE_DIR=/run/xfrm-bridge",
                            "--env=LD_PRELOAD=/run/xfrm-bridge/libxfrm-bridge-musl.so",
                            "xfrm-bridge-musl",
                            "/client",
                            "load",
                            "5")
                    .run();

            assertEquals("5\n", taken);
            String states = must(bridge, "xfrm-bridge", "exec", "--", "ip", "xfrm", "state", "count");
            assertTrue(states.contains("SAD count 5"), states);
        }
    }

    /** Where the headers of the machine are, of which musl has not all. */
    private static String gnu() {
        return "/usr/include/" + Command.of("gcc", "-print-multiarch").run().strip();
    }

    /** What its program header names: /lib/ld-musl-x86_64.so.1, which is the C library, too. */
    private static Path loader(Path program) {
        Matcher name = Pattern.compile("interpreter: (/[^\\]]+)")
                .matcher(Command.of("readelf", "--program-headers", program.toString())
                        .run());
        assertTrue(name.find());
        return Path.of(name.group(1));
    }

    @Test
    void shouldComeBackFromEveryRestart() {
        try (Scene scene = new Scene("image-restarts")) {
            GenericContainer<?> bridge = scene.own(bridge());
            bridge.withCommand("--attach", Gateway.DEVICE);
            bridge.start();
            for (int restart = 1; restart <= RESTARTS; restart++) {
                bridge.getDockerClient()
                        .restartContainerCmd(bridge.getContainerId())
                        .withTimeout(STOP_LIMIT_S)
                        .exec();
                Await.until(
                        "the bridge to be there after restart " + restart,
                        READY_LIMIT,
                        () -> run(bridge, "xfrm-bridge", "status").getExitCode() == 0);
                String addresses = must(bridge, "ip", "-4", "address", "show", "dev", Attachment.WIRE.device());
                assertTrue(addresses.contains("inet "), addresses);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Attachment.class)
    void shouldKeepDockersNamesAndAPublishedPort(Attachment attachment) {
        try (Scene scene = new Scene("image-attached")) {
            AutoCloseable removal =
                    () -> engine.docker("network", "rm", "names").run();
            scene.own(removal);
            engine.docker("network", "create", "names").run();
            GenericContainer<?> bridge = scene.own(bridge());
            bridge.withNetworkMode("names");
            bridge.withCommand(attachment.options().toArray(String[]::new));
            bridge.withExposedPorts(PORT);
            bridge.start();
            GenericContainer<?> other = new GenericContainer<>(DockerImageName.parse(DockerEngine.IMAGE));
            scene.own(other);
            other.withNetworkMode("names");
            other.withCommand("sleep", "infinity");
            other.withCreateContainerCmdModifier(create -> create.withName("other"));
            other.start();

            // Something is selected: packets meet all that the bridge has in the way of them.
            must(
                    bridge,
                    ("xfrm-bridge exec -- ip xfrm policy add dst " + PROTECTED + " dir out tmpl proto esp").split(" "));
            must(
                    bridge,
                    ("xfrm-bridge exec -- ip xfrm policy add src " + PROTECTED + " dir in tmpl proto esp").split(" "));
            must(bridge, "sh", "-c", "perl -MIO::Socket::INET -e '" + SERVER + "' >/dev/null 2>&1 &");
            Namespace caller = new Namespace(scene, "caller");
            Namespace.connect(caller, "eth0", engine.namespace(), "outside");
            caller.address("eth0", "198.51.100.2/24");
            engine.namespace().address("outside", "198.51.100.1/24");

            String ping = must(bridge, "ping", "-c", "3", "other");
            String answer = caller.command("bash", "-c", "cat </dev/tcp/198.51.100.1/" + bridge.getMappedPort(PORT))
                    .within(READY_LIMIT)
                    .run();

            assertTrue(ping.contains("3 received"), ping);
            String resolver = must(bridge, "cat", "/etc/resolv.conf");
            assertTrue(resolver.contains("nameserver 127.0.0.11"), resolver);
            assertEquals("published\n", answer);
            assertTrue(must(bridge, "ip", "-4", "address", "show", "dev", attachment.device())
                    .contains("inet "));
        }
    }

    @Test
    @Requires(Requirement.COMPOSE)
    void shouldShowATunnelByCompose() {
        try (Scene scene = new Scene("image-compose")) {
            AutoCloseable down =
                    () -> compose("down", "--volumes", "--timeout", "5").run();
            scene.own(down);
            compose("up", "--detach", "--no-build").run();
            String client =
                    compose("ps", "--all", "--quiet", "west-client").run().strip();
            String exitCode =
                    engine.docker("wait", client).within(COMPOSE_LIMIT).run().strip();

            String output = engine.docker("logs", client).run();
            assertEquals("0", exitCode, output);
            assertTrue(output.contains("5 received"), output);
            assertTrue(output.contains("receiver"), output);
            String sas = compose("exec", "-T", "west", "swanctl", "--list-sas").run();
            assertTrue(sas.contains("TUNNEL, ESP:AES_GCM_16-128"), sas);
            assertTrue(sas.matches("(?s).* [1-9][0-9]{3,} packets.*"), sas);
        }
    }

    private static Command compose(String... arguments) {
        List<String> line = new ArrayList<>(
                List.of("docker-compose", "--file", HOME.resolve("compose.yaml").toString()));
        line.addAll(List.of(arguments));
        return new Command(line).within(COMPOSE_LIMIT);
    }

    /** The bridge alone. It can write to its directory and nowhere else. */
    private static GenericContainer<?> bridge(Bind... binds) {
        GenericContainer<?> container = new GenericContainer<>(DockerImageName.parse(IMAGE));
        container.withCreateContainerCmdModifier(create -> {
            HostConfig host = create.getHostConfig();
            host.withCapAdd(Capability.NET_ADMIN);
            host.withDevices(Device.parse("/dev/net/tun:/dev/net/tun:rwm"));
            host.withReadonlyRootfs(true);
            host.withBinds(binds);
        });
        container.waitingFor(Wait.forHealthcheck().withStartupTimeout(READY_LIMIT));
        return container;
    }

    /** With strongSwan, which begins a tunnel to {@code remote} if that is an address. */
    private static GenericContainer<?> gateway(Scene scene, String name, String remote) {
        GenericContainer<?> container = bridge(configuration(scene, name, remote));
        container.withTmpFs(Map.of("/run", ""));
        container.withCommand("charon-systemd");
        return container;
    }

    private static Bind configuration(Scene scene, String name, String remote) {
        Path directory = scene.file(name);
        Lab.write(directory.resolve("swanctl.conf"), """
                connections {
                    pair {
                        version = 2
                        remote_addrs = %s
                        local {
                            auth = psk
                            id = %s
                        }
                        remote {
                            auth = psk
                        }
                        children {
                            host {
                                mode = transport
                                esp_proposals = aes128gcm16
                                start_action = %s
                            }
                        }
                    }
                }
                secrets {
                    ike-pair {
                        secret = "between containers"
                    }
                }
                """.formatted(
                        remote, name, remote.startsWith("%") ? "none" : "start"));
        return bind(directory, "/etc/swanctl");
    }

    private static Bind bind(Path directory, String path) {
        return Bind.parse(directory + ":" + path);
    }

    private static void awaitTunnel(GenericContainer<?> host) {
        Await.until(
                "a tunnel",
                READY_LIMIT,
                () -> run(host, "swanctl", "--list-sas").getStdout().contains("INSTALLED"));
    }

    private static void assertPings(GenericContainer<?> from, GenericContainer<?> to, Sniffer sniffer) {
        String ping = must(from, "ping", "-n", "-c", Integer.toString(PINGS), "-i", "0.2", address(to));
        assertTrue(ping.contains(PINGS + " received"), ping);
        assertTrue(sniffer.espFrames() >= 2 * PINGS, "ESP frames: " + sniffer.espFrames());
    }

    /** The states of all processes, a letter each. */
    private static String states(GenericContainer<?> host) {
        return must(host, "sh", "-c", "sed -n 's/^State:\\s*\\(.\\).*/\\1/p' /proc/[0-9]*/status || true");
    }

    private static String address(GenericContainer<?> host) {
        return host.getContainerInfo()
                .getNetworkSettings()
                .getNetworks()
                .get("bridge")
                .getIpAddress();
    }
}
