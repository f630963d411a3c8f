package org.xfrmbridge.daemon.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.xfrmbridge.daemon.attach.StackTrial;
import org.xfrmbridge.daemon.attach.WireTrial;
import org.xfrmbridge.daemon.firewall.Finding;
import org.xfrmbridge.daemon.firewall.FirewallCheck;
import org.xfrmbridge.daemon.os.BridgeSocket;
import org.xfrmbridge.daemon.os.ControlClient;
import org.xfrmbridge.daemon.os.CurrentProcess;
import org.xfrmbridge.daemon.os.SilentBridgeException;
import org.xfrmbridge.daemon.status.Part;

/**
 * Looks at this host, in the order of what depends on what, and changes nothing of it: what has to be tried is tried in
 * a network namespace of its own. One thread.
 */
public final class Examination {
    private static final Path ROOT = Path.of("/");
    private static final Path TUN = Path.of("/dev/net/tun");
    private static final int NET_ADMIN = 12;
    private static final int NET_RAW = 13;
    private static final long LEAST_HEAP_BYTES = 48L << 20;

    private final Path directory;
    private final String attached;
    private final String tap;
    private final List<Diagnosis> found = new ArrayList<>();

    /**
     * @param directory of the bridge that is to run, or runs
     * @param attached the interface that it is to stand in for; null for the host's stack
     * @param tap the name of its own interface
     */
    public Examination(Path directory, String attached, String tap) {
        this.directory = directory;
        this.attached = attached;
        this.tap = tap;
    }

    /** All that is found. */
    public Report run() throws IOException {
        String release = System.getProperty("os.version");
        boolean isRoot = "root".equals(System.getProperty("user.name"));
        if (lookAtTemporary()) {
            // The C library is not to be had, without which little can be seen.
            return new Report(release, container(), isRoot, found);
        }
        lookAtRights(isRoot);
        boolean isThere = lookAtDirectory();
        lookAtTun();
        if (attached == null) {
            tryStack(isThere);
        } else {
            found.add(WireTrial.refusal(attached)
                    .map(reason -> Diagnosis.wrong("attach " + attached, reason))
                    .orElseGet(() -> Diagnosis.ok("attach " + attached, null)));
        }
        lookAtHeap();
        found.add(new KernelEsp(ROOT, release, KernelEsp::takesState).look());
        found.addAll(new IkeDaemons(ROOT).look());
        for (Part part : WireTrial.interfaces(tap)) {
            found.add(Diagnosis.note(part.name(), part.fault()));
        }
        lookAtFirewall(isRoot);
        return new Report(release, container(), isRoot, found);
    }

    private void lookAtRights(boolean isRoot) throws IOException {
        long capabilities = capabilities();
        List<String> missing = Stream.of(NET_ADMIN, NET_RAW)
                .filter(capability -> (capabilities >> capability & 1) == 0)
                .map(capability -> capability == NET_ADMIN ? "NET_ADMIN" : "NET_RAW")
                .toList();
        if (missing.isEmpty()) {
            found.add(Diagnosis.ok("rights", "NET_ADMIN, NET_RAW"));
        } else if (isRoot) {
            found.add(Diagnosis.wrong(
                    "rights", "no %s: docker run --cap-add NET_ADMIN".formatted(String.join(", ", missing))));
        } else {
            found.add(Diagnosis.wrong("rights", "not root: sudo xfrm-bridge run"));
        }
    }

    private static long capabilities() throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/thread-self/status"))) {
            return lines.filter(line -> line.startsWith("CapEff:"))
                    .mapToLong(line -> Long.parseUnsignedLong(
                            line.substring("CapEff:".length()).strip(), 16))
                    .findFirst()
                    .orElse(0);
        }
    }

    /** Whether a bridge is there already. */
    private boolean lookAtDirectory() {
        String what = "directory " + directory;
        try {
            ControlClient.ask(directory, "stat");
            found.add(Diagnosis.ok(what, "a bridge runs there: xfrm-bridge status"));
            return true;
        } catch (SilentBridgeException e) {
            found.add(Diagnosis.wrong(what, e.getMessage()));
            return true;
        } catch (IOException e) {
            // None answers.
        }
        if (!BridgeSocket.fitIn(directory)) {
            found.add(Diagnosis.wrong(what, "too long for sockets: choose a shorter one with --dir"));
            return false;
        }
        if (Files.exists(directory.resolve("attachment.journal"))) {
            found.add(Diagnosis.note(what, "a bridge that ended was here: xfrm-bridge status says what it has left"));
            return true;
        }
        Path there = directory;
        while (!Files.exists(there)) {
            there = there.getParent();
        }
        found.add(
                Files.isDirectory(there) && Files.isWritable(there)
                        ? Diagnosis.ok(what, null)
                        : Diagnosis.wrong(what, there + " cannot be written: choose another one with --dir"));
        return false;
    }

    private void lookAtTun() {
        String what = TUN.toString();
        if (!Files.exists(TUN)) {
            found.add(Diagnosis.wrong(what, "not there: modprobe tun, or docker run --device /dev/net/tun"));
        } else if (!Files.isReadable(TUN) || !Files.isWritable(TUN)) {
            found.add(Diagnosis.wrong(what, "may not be opened by this user"));
        } else {
            found.add(Diagnosis.ok(what, null));
        }
    }

    /** @param isThere whether what a bridge has in the stack is there */
    private void tryStack(boolean isThere) {
        StackTrial.Result result;
        try {
            result = CurrentProcess.inNetworkNamespaceOfItsOwn(StackTrial::run);
        } catch (IOException e) {
            found.add(Diagnosis.unseen(
                    "place in the host's stack", "it is tried in a network namespace, which needs root and SYS_ADMIN"));
            return;
        }
        for (Part part : result.needed()) {
            found.add(
                    part.fault() == null
                            ? Diagnosis.ok(part.name(), null)
                            : Diagnosis.wrong(part.name(), part.fault()));
        }
        if (result.arrivals() != null && result.arrivals().fault() != null) {
            found.add(Diagnosis.note(result.arrivals().name(), result.arrivals().fault()));
        }
        if (!isThere) {
            found.add(StackTrial.refusal(tap)
                    .map(reason -> Diagnosis.wrong("place in the host's stack", reason))
                    .orElseGet(() -> Diagnosis.ok("place in the host's stack", "free")));
        }
    }

    /** Where a library is unpacked that leads to the C library; whether that cannot be. */
    private boolean lookAtTemporary() throws IOException {
        try {
            CurrentProcess.effectiveUserId();
            return false;
        } catch (LinkageError e) {
            Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
            Mounts mounts = new Mounts(Path.of("/proc/self/mounts"));
            String how = Stream.of("noexec", "ro")
                    .filter(option -> mounts.have(temporary, option))
                    .map(option -> " it is mounted " + option + ':')
                    .findFirst()
                    .orElse("");
            found.add(Diagnosis.wrong(
                    "directory " + temporary,
                    ("no library can be unpacked there:%s name another one by "
                                    + "XFRM_BRIDGE_JAVA_OPTIONS=-Djava.io.tmpdir=DIR")
                            .formatted(how)));
            return true;
        }
    }

    private void lookAtHeap() {
        long heapBytes = Runtime.getRuntime().maxMemory();
        String heap = (heapBytes >> 20) + " MB";
        found.add(
                heapBytes < LEAST_HEAP_BYTES
                        ? Diagnosis.wrong("heap", heap + ": give it more memory, or XFRM_BRIDGE_JAVA_OPTIONS=-Xmx64m")
                        : Diagnosis.ok("heap", heap));
    }

    private void lookAtFirewall(boolean isRoot) {
        String what = "firewall";
        if (attached != null && isOne("net/bridge/bridge-nf-call-iptables")) {
            found.add(Diagnosis.note(
                    "bridge-nf-call-iptables",
                    "1: all frames of %s pass iptables' FORWARD: run without --attach, or set it to 0"
                            .formatted(attached)));
        }
        if (!isRoot) {
            found.add(Diagnosis.unseen(what, "its rules are shown to root only"));
            return;
        }
        try {
            List<Finding> findings = FirewallCheck.findings(tap);
            found.add(FirewallCheck.summary(findings)
                    .map(summary -> Diagnosis.note(what, summary))
                    .orElseGet(() -> Diagnosis.ok(what, "no rule asks for a kernel's IPsec")));
        } catch (IOException e) {
            found.add(Diagnosis.unseen(what, e.getMessage()));
        }
    }

    private static boolean isOne(String sysctl) {
        try {
            return Files.readString(Path.of("/proc/sys", sysctl)).strip().equals("1");
        } catch (IOException e) {
            return false;
        }
    }

    /** Null for none that can be seen. */
    private static String container() {
        if (Files.exists(Path.of("/.dockerenv"))) {
            return "docker";
        }
        if (Files.exists(Path.of("/run/.containerenv"))) {
            return "podman";
        }
        for (String file : List.of("/run/systemd/container", "/proc/1/environ")) {
            try {
                String text = Files.readString(Path.of(file));
                if (!file.startsWith("/proc")) {
                    return text.strip();
                }
                String kind = Stream.of(text.split("\0"))
                        .filter(variable -> variable.startsWith("container="))
                        .map(variable -> variable.substring("container=".length()))
                        .collect(Collectors.joining());
                return kind.isEmpty() ? null : kind;
            } catch (IOException e) {
                // Not there, or not for this user.
            }
        }
        return null;
    }
}
