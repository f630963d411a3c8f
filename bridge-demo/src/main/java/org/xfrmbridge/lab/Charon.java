package org.xfrmbridge.lab;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * charon-systemd on one host under {@code xfrm-bridge exec}, with a configuration, a control socket and a {@code /run}
 * of its own. Nothing of the machine's strongSwan configuration is read.
 */
public final class Charon implements AutoCloseable {
    private static final Duration START_LIMIT = Duration.ofSeconds(30);
    /** What Debian's packages may bring; charon passes over those that are not installed. */
    private static final String PLUGINS =
            "random nonce pem pkcs1 pkcs8 pubkey x509 constraints revocation openssl chapoly curve25519 hmac kdf"
                    + " aes sha1 sha2 gmp gcm kernel-netlink socket-default vici updown";

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
    public static Charon start(Lab lab, Namespace host, BridgeProcess bridge, Map<String, String> options) {
        Charon charon = launch(lab, host, bridge, options);
        charon.awaitAnswer();
        return charon;
    }

    /** The same, without waiting until it answers. */
    public static Charon launch(Lab lab, Namespace host, BridgeProcess bridge, Map<String, String> options) {
        Charon charon = new Charon(lab, host, bridge);
        Lab.write(charon.directory.resolve("strongswan.conf"), configuration(charon.vici(), charon.log, options));
        lab.own(charon);
        charon.launch(bridge.command(COMMAND));
        return charon;
    }

    private Charon(Lab lab, Namespace host, BridgeProcess bridge) {
        this.host = host;
        this.bridge = bridge;
        this.directory = lab.file("swanctl-" + host.role());
        this.output = lab.file(host.role() + "-charon.out.log");
        this.log = lab.file(host.role() + "-charon.log");
    }

    /** strongswan.conf: plugins, the control socket, the log. */
    static String configuration(String vici, Path log, Map<String, String> options) {
        Section root = new Section();
        Section daemon = root.in("charon-systemd");
        daemon.put("load_modular", "no").put("load", PLUGINS).putAll(options);
        daemon.in("plugins").in("vici").put("socket", vici);
        daemon.in("syslog").in("daemon").put("default", "-1");
        daemon.in("filelog")
                .in("log")
                .put("path", log.toString())
                .put("flush_line", "yes")
                .put("time_format", "%H:%M:%S")
                .put("time_add_ms", "yes")
                .put("append", "yes")
                .put("default", "1")
                .put("knl", "2");
        root.in("swanctl").put("load", "random nonce pem pkcs1 pkcs8 x509 pubkey openssl");
        return root.toString();
    }

    /** Starts the daemon (again) and waits until it answers. */
    public void start() {
        launch(bridge.command(COMMAND));
        awaitAnswer();
    }

    /** The same, on what it takes for that release of Linux. */
    public void start(String kernelLevel) {
        launch(bridge.commandAt(kernelLevel, COMMAND));
        awaitAnswer();
    }

    private void launch(Command start) {
        Command command = start.with(
                "STRONGSWAN_CONF", directory.resolve("strongswan.conf").toString());
        daemon = host.start("charon", output, command);
    }

    public void awaitAnswer() {
        daemon.await("open its socket", START_LIMIT, () -> Files.exists(socket()));
        daemon.await("answer", START_LIMIT, () -> control("--stats").result().succeeded());
    }

    public Path directory() {
        return directory;
    }

    /** Replaces the connections and secrets by those of this file text. */
    public void load(String swanctlConf) {
        Lab.write(directory.resolve("swanctl.conf"), swanctlConf);
        swanctl("--load-all", "--noprompt", "--clear");
    }

    /** One swanctl command to this daemon; its output. */
    public String swanctl(String... arguments) {
        return control(arguments).run();
    }

    public Command control(String... arguments) {
        List<String> line = new ArrayList<>(List.of("swanctl"));
        line.addAll(List.of(arguments));
        line.addAll(List.of("--uri", vici()));
        return host.command(Userland.seenBy(line.toArray(String[]::new)))
                .with("STRONGSWAN_CONF", directory.resolve("strongswan.conf").toString())
                .with("SWANCTL_DIR", directory.toString());
    }

    public String log() {
        return Command.text(log);
    }

    private String vici() {
        return "unix://" + socket();
    }

    private Path socket() {
        return directory.resolve("vici");
    }

    public void stop() {
        daemon.terminate();
    }

    public void kill9() {
        daemon.kill9();
    }

    @Override
    public void close() {
        if (daemon != null) {
            daemon.close();
        }
    }
}
