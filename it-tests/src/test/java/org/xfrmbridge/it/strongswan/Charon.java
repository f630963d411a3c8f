package org.xfrmbridge.it.strongswan;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.xfrmbridge.it.harness.Await;
import org.xfrmbridge.it.harness.BridgeProcess;
import org.xfrmbridge.it.harness.Command;
import org.xfrmbridge.it.harness.Daemon;
import org.xfrmbridge.it.harness.Namespace;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.it.harness.Side;
import org.xfrmbridge.it.harness.Topology;

/**
 * charon-systemd on one host under {@code xfrm-bridge exec}, with a configuration, a control socket and a {@code /run}
 * of its own. Nothing of the machine's strongSwan configuration is read.
 */
public final class Charon implements AutoCloseable {
    private static final Duration START_LIMIT = Duration.ofSeconds(30);
    /** What every connection with a shared key uses. */
    public static final String SHARED_KEY = "a key for scenarios";

    private static final String PLUGINS =
            "random nonce pem pkcs1 pkcs8 pubkey x509 constraints revocation openssl chapoly"
                    + " curve25519 hmac kdf kernel-netlink socket-default vici updown";

    private static final String[] COMMAND = {
        "unshare", "--mount", "sh", "-c", "mount -t tmpfs run /run && exec charon-systemd"
    };

    private final Namespace host;
    private final BridgeProcess bridge;
    private final Path directory;
    private final Path output;
    private final Path log;
    private Daemon daemon;

    /** Starts one; {@code options} are further settings of the daemon's section, such as retransmission times. */
    public static Charon start(Scene scene, Namespace host, BridgeProcess bridge, Map<String, String> options) {
        Charon charon = new Charon(scene, host, bridge);
        charon.configure(options);
        scene.own(charon);
        charon.start();
        return charon;
    }

    private Charon(Scene scene, Namespace host, BridgeProcess bridge) {
        this.host = host;
        this.bridge = bridge;
        this.directory = scene.file("swanctl-" + host.role());
        this.output = scene.file(host.role() + "-charon.out.log");
        this.log = scene.file(host.role() + "-charon.log");
    }

    private void configure(Map<String, String> options) {
        Section daemon = new Section();
        daemon.in("charon-systemd")
                .put("load_modular", "no")
                .put("load", PLUGINS)
                .putAll(options);
        daemon.in("charon-systemd").in("plugins").in("vici").put("socket", vici());
        daemon.in("charon-systemd").in("syslog").in("daemon").put("default", "-1");
        daemon.in("charon-systemd")
                .in("filelog")
                .in("log")
                .put("path", log.toString())
                .put("flush_line", "yes")
                .put("time_format", "%H:%M:%S")
                .put("time_add_ms", "yes")
                .put("append", "yes")
                .put("default", "1")
                .put("knl", "2");
        daemon.in("swanctl").put("load", "random nonce pem pkcs1 pkcs8 x509 pubkey openssl");
        write(directory.resolve("strongswan.conf"), daemon.toString());
    }

    private static void write(Path file, String text) {
        try {
            Files.createDirectories(file.getParent());
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Starts the daemon (again) and waits until it answers. */
    void start() {
        start(bridge.command(COMMAND));
    }

    /** The same, on what it takes for that release of Linux. */
    void start(String kernelLevel) {
        start(bridge.commandAt(kernelLevel, COMMAND));
    }

    private void start(Command start) {
        Command command = start.with(
                "STRONGSWAN_CONF", directory.resolve("strongswan.conf").toString());
        daemon = host.start("charon", output, command);
        Await.until("charon on " + host + " to answer", START_LIMIT, () -> {
            if (!daemon.isAlive()) {
                throw new AssertionError("charon on " + host + " ended\n" + daemon.output());
            }
            return control("--stats").result().exitCode() == 0;
        });
    }

    Path directory() {
        return directory;
    }

    /** Replaces its connections by these, as {@code side} of the topology sees them. */
    public void load(Topology topology, Side side, Connection... connections) {
        Section root = new Section();
        for (Connection connection : connections) {
            connection.render(root.in("connections"), topology, side);
        }
        root.in("secrets").in("ike-any").put("secret", '"' + SHARED_KEY + '"');
        load(root.toString());
    }

    /** Replaces the connections and secrets by those of this file text. */
    void load(String swanctlConf) {
        write(directory.resolve("swanctl.conf"), swanctlConf);
        swanctl("--load-all", "--noprompt", "--clear");
    }

    /** One swanctl command to this daemon; its output. */
    public String swanctl(String... arguments) {
        return control(arguments).run();
    }

    Command control(String... arguments) {
        List<String> line = new ArrayList<>(List.of("swanctl"));
        line.addAll(List.of(arguments));
        line.addAll(List.of("--uri", vici()));
        return host.command(line)
                .with("STRONGSWAN_CONF", directory.resolve("strongswan.conf").toString())
                .with("SWANCTL_DIR", directory.toString());
    }

    /** Ends all IKE_SAs, whether the peer answers or not: what a scenario that failed has left to the next. */
    public void endAll() {
        for (Map<String, String> ike : listSas().ikes()) {
            control("--terminate", "--force", "--timeout", "2", "--ike-id", ike.get("uniqueid"))
                    .result();
        }
    }

    SaList listSas() {
        return SaList.parse(swanctl("--list-sas", "--raw"));
    }

    String log() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String vici() {
        return "unix://" + directory.resolve("vici");
    }

    void stop() {
        daemon.terminate();
    }

    void kill9() {
        daemon.kill9();
    }

    @Override
    public void close() {
        daemon.close();
    }
}
