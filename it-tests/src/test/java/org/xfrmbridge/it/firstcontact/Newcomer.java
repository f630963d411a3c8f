package org.xfrmbridge.it.firstcontact;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Command.Result;
import org.xfrmbridge.lab.Namespace;

/** A host, and somebody at its keyboard who has the launcher. */
final class Newcomer {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    /** What passes on a host to which nothing happens. */
    private static final Pattern PASSING =
            Pattern.compile("(?:valid|preferred)_lft \\d+sec|_timer +[0-9.]+|packets \\d+ bytes \\d+"
                    + "|NO-CARRIER,|,LOWER_UP|state [A-Z]+| linkdown");

    private final Scene scene;
    private final Namespace host;
    private final Path program;

    Newcomer(Scene scene, Namespace host) {
        this(scene, host, BridgeProcess.program());
    }

    private Newcomer(Scene scene, Namespace host, Path program) {
        this.scene = scene;
        this.host = host;
        this.program = program;
    }

    /** The same with a copy of the program that everybody may read. */
    Newcomer withCopy() throws IOException {
        Path tree = Files.createDirectories(scene.directory().resolve("copy"));
        Command.of("chmod", "755", scene.directory().toString(), tree.toString())
                .run();
        Command.of("sh", "-ec", """
                        cd "$1"
                        cp --parents -a xfrm-bridge bridge-daemon/src/main/sh bridge-daemon/target/lib \\
                            bridge-daemon/target/*.jar bridge-daemon/target/xfrm-bridge-* \\
                            bridge-daemon/target/libxfrm-bridge.so "$2"
                        chmod -R a+rX "$2"
                        """, "copy", program.getParent().toString(), tree.toString())
                .run();
        return new Newcomer(scene, host, tree.resolve("xfrm-bridge"));
    }

    Namespace host() {
        return host;
    }

    /** A directory for a bridge that is not there yet. */
    Path directory(String name) {
        return scene.directory().resolve(name);
    }

    Path write(String name, String text) throws IOException {
        Path file = directory(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, text);
    }

    Path program() {
        return program;
    }

    /** A file that lies beside this class, where a command can read it. */
    Path resource(String name) throws IOException {
        try (InputStream text = Newcomer.class.getResourceAsStream(name)) {
            return write(name, new String(text.readAllBytes()));
        }
    }

    /** {@code xfrm-bridge} with these arguments; {@code prefix} is what starts it, env(1) or another program. */
    Command command(List<String> prefix, String... arguments) {
        List<String> line = new ArrayList<>(prefix);
        line.add(program.toString());
        line.addAll(List.of(arguments));
        return host.command(line).within(PATIENCE);
    }

    /** A shell's commands that come before the program, in namespaces of their own for mounts. */
    static List<String> after(String mounts) {
        return List.of("unshare", "--mount", "sh", "-ec", mounts + "\nexec \"$@\"", "sh");
    }

    /** No JDK is where one is looked for. */
    static List<String> withoutJdk() {
        return withoutJdk("/nonexistent");
    }

    /** The same, and JAVA_HOME names what is none. */
    static List<String> withoutJdk(String javaHome) {
        return after("""
                for place in /opt /usr/lib/jvm; do [ ! -d $place ] || mount -t tmpfs none $place; done
                export JAVA_HOME=%s PATH=/usr/sbin:/usr/bin:/sbin:/bin
                """.formatted(javaHome));
    }

    /** The configuration file that is read by default has this text. */
    List<String> configured(String text) throws IOException {
        Path etc = write("etc/xfrm-bridge/bridge.conf", text).getParent().getParent();
        return after("mount -t overlay overlay -o lowerdir=" + etc + ":/etc /etc");
    }

    /** As a user who has no rights. */
    static List<String> asNobody() {
        return List.of("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups");
    }

    /** As root of a container that has no right to change networks. */
    static List<String> withoutNetAdmin() {
        return List.of("setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin");
    }

    /** On a kernel that lacks something: what {@code lacking.py} knows. */
    List<String> lacking(String part) throws IOException {
        return List.of(Requirement.PYTHON, resource("lacking.py").toString(), part);
    }

    /** Tries what cannot be done: one sentence, no success, and the host is as it was. */
    void assertRefused(String said, List<String> prefix, String... arguments) {
        String before = look();
        assertSentence(said, command(prefix, arguments).result());
        assertEquals(before, look());
    }

    static void assertSentence(String said, Result result) {
        assertNotEquals(0, result.exitCode(), result.output());
        assertEquals(1, result.output().lines().count(), result.output());
        assertTrue(result.output().startsWith("xfrm-bridge: "), result.output());
        assertTrue(result.output().contains(said), result.output());
    }

    /** All that a bridge could have changed. The order of routes is not looked at. */
    String look() {
        String text = host.run("sh", "-c", """
                { ip -d link; ip address; for family in -4 -6; do
                    ip $family route show table all; ip $family rule
                done; } 2>/dev/null | sort
                nft list ruleset
                cd "$1"; find . -not -name '*.log' | sort
                """, "sh", scene.directory().toString());
        return PASSING.matcher(text).replaceAll("");
    }
}
