package org.xfrmbridge.it.containers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.xfrmbridge.it.containers.ContainerCommand.must;
import static org.xfrmbridge.it.containers.ContainerCommand.run;

import com.github.dockerjava.api.model.Bind;
import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.Device;
import com.github.dockerjava.api.model.HostConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.images.builder.Transferable;
import org.testcontainers.utility.DockerImageName;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.it.harness.Sniffer;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.LabException;

/**
 * Why: a container cannot load kernel modules, which is where many users need the bridge. Topology: two containers on
 * Docker's default bridge; each runs the bridge as its main process, with NET_ADMIN and /dev/net/tun and Docker's
 * default restrictions otherwise. Steps: charon under {@code exec} in both, host to host in transport mode, ping,
 * terminate. Expected: every ping answered, only ESP and IKE on the wire, counters of charon and the bridge agree.
 */
@Requires({Requirement.ROOT, Requirement.TUN, Requirement.TCPDUMP, Requirement.DOCKER, Requirement.BRIDGE})
class ContainerScenario {
    private static final Duration READY_LIMIT = Duration.ofSeconds(30);
    private static final int PINGS = 10;
    private static final Path JAVA = Path.of(System.getProperty("java.home"));

    private final Scene scene = new Scene("containers");
    private DockerEngine engine;
    private GenericContainer<?> left;
    private GenericContainer<?> right;

    @BeforeEach
    void startContainers() {
        engine = DockerEngine.start(scene);
        left = scene.own(container(Attachment.STACK));
        right = scene.own(container(Attachment.WIRE));
        left.start();
        right.start();
    }

    @AfterEach
    void end() {
        scene.close();
    }

    @Test
    void shouldProtectTrafficBetweenContainers() throws Exception {
        Sniffer sniffer = Sniffer.start(scene, engine.namespace(), DockerEngine.WIRE);
        startCharon(left, right);
        startCharon(right, left);
        must(left, "swanctl", "--initiate", "--child", "host", "--timeout", "30");

        String ping = must(left, "ping", "-n", "-c", Integer.toString(PINGS), "-i", "0.1", address(right));

        assertTrue(ping.contains(PINGS + " received"), ping);
        assertTrue(sniffer.espFrames() >= 2 * PINGS, "ESP frames: " + sniffer.espFrames());
        String sas = must(left, "swanctl", "--list-sas");
        assertTrue(sas.contains("TRANSPORT, ESP:AES_GCM_16-128"), sas);
        assertTrue(sas.contains(PINGS + " packets"), sas);
        must(left, "swanctl", "--terminate", "--ike", "pair");
        assertEquals("", under(left, "ip", "xfrm", "state"));
    }

    private static GenericContainer<?> container(Attachment attachment) {
        String launcher = BridgeProcess.program().toString();
        GenericContainer<?> container = new GenericContainer<>(DockerImageName.parse(DockerEngine.IMAGE));
        container.withCommand(Stream.concat(Stream.of(launcher, "run"), attachment.options().stream())
                .toArray(String[]::new));
        container.withEnv("JAVA_HOME", JAVA.toString());
        container.withCreateContainerCmdModifier(create -> {
            HostConfig host = create.getHostConfig();
            host.withCapAdd(Capability.NET_ADMIN);
            host.withDevices(Device.parse("/dev/net/tun:/dev/net/tun:rwm"));
            host.withBinds(Stream.of(Path.of(launcher).getParent(), JAVA, configurationOfJava())
                    .map(path -> Bind.parse(path + ":" + path + ":ro"))
                    .toList());
        });
        container.waitingFor(Wait.forLogMessage("ready\\n", 1).withStartupTimeout(READY_LIMIT));
        return container;
    }

    /** In a JDK of Debian it is links to /etc. */
    private static Path configurationOfJava() {
        try {
            return JAVA.resolve("conf/security/java.security").toRealPath().getParent();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void startCharon(GenericContainer<?> host, GenericContainer<?> peer) throws Exception {
        host.copyFileToContainer(
                Transferable.of(connection(address(host), address(peer))), "/etc/swanctl/conf.d/pair.conf");
        must(host, "sh", "-c", launcher() + " exec -- charon-systemd >/var/log/charon.log 2>&1 &");
        try {
            Await.until(
                    "charon to take its configuration",
                    READY_LIMIT,
                    () -> run(host, "swanctl", "--load-all").getExitCode() == 0);
        } catch (LabException e) {
            throw new AssertionError(
                    run(host, "swanctl", "--load-all") + "\n" + run(host, "cat", "/var/log/charon.log"), e);
        }
    }

    private static String connection(String local, String remote) {
        return """
                connections {
                    pair {
                        version = 2
                        local_addrs = %1$s
                        remote_addrs = %2$s
                        local {
                            auth = psk
                        }
                        remote {
                            auth = psk
                        }
                        children {
                            host {
                                mode = transport
                                esp_proposals = aes128gcm16
                            }
                        }
                    }
                }
                secrets {
                    ike-pair {
                        secret = "between containers"
                    }
                }
                """.formatted(local, remote);
    }

    private static String address(GenericContainer<?> host) {
        return host.getContainerInfo()
                .getNetworkSettings()
                .getNetworks()
                .get("bridge")
                .getIpAddress();
    }

    private static String launcher() {
        return BridgeProcess.program().toString();
    }

    private static String under(GenericContainer<?> host, String... command) throws Exception {
        String[] line = new String[command.length + 3];
        line[0] = launcher();
        line[1] = "exec";
        line[2] = "--";
        System.arraycopy(command, 0, line, 3, command.length);
        return must(host, line).strip();
    }
}
