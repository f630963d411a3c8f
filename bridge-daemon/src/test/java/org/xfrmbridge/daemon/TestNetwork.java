package org.xfrmbridge.daemon;

import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.net.NetworkInterface;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.opentest4j.TestAbortedException;
import org.xfrmbridge.daemon.os.CurrentProcess;
import org.xfrmbridge.daemon.os.IpSocket;
import org.xfrmbridge.daemon.os.MessagesToSend;
import org.xfrmbridge.daemon.os.NetworkNamespace;

/** Two network namespaces joined by veth0 in each: "here", where the thing under test is, and "there". */
public final class TestNetwork implements AutoCloseable {
    private static final long LIMIT_SECONDS = 60;
    /** What {@code ip} says when the namespace of another test goes while it looks for names. */
    private static final String GONE = "Error: Peer netns reference is invalid.\n";

    private final String here =
            "xbt" + Integer.toHexString(ThreadLocalRandom.current().nextInt(1 << 28));
    private final String there = here + "p";

    /** Skips the test, with the reason, where it cannot run. */
    public TestNetwork() throws Exception {
        Assumptions.assumeTrue(CurrentProcess.effectiveUserId() == 0, "needs root, to make network namespaces");
        Assumptions.assumeTrue(Files.isReadable(Path.of("/dev/net/tun")), "needs /dev/net/tun");
        for (String program : List.of("ip", "sysctl", "ping")) {
            need(program);
        }
        run("ip", "netns", "add", here);
        run("ip", "netns", "add", there);
        for (String name : List.of(here, there)) {
            run("ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0");
            ip(name, "link set lo up");
        }
        ip(here, "link add veth0 type veth peer name veth0 netns " + there);
        ip(here, "link set veth0 up");
        ip(there, "link set veth0 up");
        ip(here, "addr add 192.0.2.1/24 dev veth0");
        ip(there, "addr add 192.0.2.2/24 dev veth0");
        ip(here, "addr add 2001:db8::1/64 dev veth0");
        ip(there, "addr add 2001:db8::2/64 dev veth0");
    }

    /** {@code ip} in "here". */
    public String ip(String arguments) throws Exception {
        return ip(here, arguments);
    }

    private static String ip(String namespace, String arguments) throws Exception {
        List<String> line = new ArrayList<>(List.of("ip", "-n", namespace));
        line.addAll(List.of(arguments.split(" ")));
        return run(line.toArray(String[]::new));
    }

    /** Skips the test where this machine does not have a program. */
    public static void need(String program) {
        boolean found = Stream.of((System.getenv("PATH") + ":/usr/sbin:/sbin").split(":"))
                .anyMatch(directory -> Files.isExecutable(Path.of(directory, program)));
        Assumptions.assumeTrue(found, () -> "needs the program " + program + ", which ./check installs");
    }

    /** A command in "here"; fails the test if it fails, and skips it where there is no such program. */
    public String exec(String arguments) throws Exception {
        need(arguments.split(" ")[0]);
        return run(("ip netns exec " + here + ' ' + arguments).split(" "));
    }

    /** The same in "there". */
    public String execThere(String arguments) throws Exception {
        need(arguments.split(" ")[0]);
        return run(("ip netns exec " + there + ' ' + arguments).split(" "));
    }

    /** A process in "here", yet to be started; its own, not a child of it. */
    ProcessBuilder processHere(List<String> line) {
        List<String> whole = new ArrayList<>(List.of("ip", "netns", "exec", here));
        whole.addAll(line);
        return new ProcessBuilder(whole);
    }

    /** {@code ip} in "there". */
    public String ipThere(String arguments) throws Exception {
        return ip(there, arguments);
    }

    /** Whether a ping from "here" is answered. */
    public boolean ping(String address) throws Exception {
        return ping(here, address);
    }

    /** The same with so many bytes behind the ICMP header, which must not be fragmented. */
    public boolean ping(String address, int payloadBytes) throws Exception {
        return process(("ip netns exec " + here + " ping -n -c 1 -W 1 -M do -s " + payloadBytes + ' ' + address)
                                .split(" "))
                        .waitFor()
                == 0;
    }

    /** Whether a ping from "there" is answered. */
    public boolean pingFromThere(String address) throws Exception {
        return ping(there, address);
    }

    private static boolean ping(String namespace, String address) throws Exception {
        return process(("ip netns exec " + namespace + " ping -n -c 1 -W 1 " + address).split(" "))
                        .waitFor()
                == 0;
    }

    public <T> T inHere(Callable<T> work) throws Exception {
        try {
            return start(here, work).get(LIMIT_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof TestAbortedException skipped) {
                throw skipped;
            }
            throw e;
        }
    }

    public <T> CompletableFuture<T> startInThere(Callable<T> work) {
        return start(there, work);
    }

    /** On a thread of its own, which stays in the namespace; so do threads that it starts. */
    private static <T> CompletableFuture<T> start(String namespace, Callable<T> work) {
        CompletableFuture<T> result = new CompletableFuture<>();
        Thread.ofPlatform().daemon().start(() -> {
            try {
                NetworkNamespace.enter(namespace);
                result.complete(work.call());
            } catch (Throwable e) {
                result.completeExceptionally(e);
            }
        });
        return result;
    }

    public static <T> T within(CompletableFuture<T> result)
            throws InterruptedException, ExecutionException, TimeoutException {
        return result.get(LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    /** Sends frames by the interface of the calling thread's namespace, one after the other. */
    public static Void sendFrames(List<byte[]> frames) throws Exception {
        int ifindex = NetworkInterface.getByName("veth0").getIndex();
        try (IpSocket socket = IpSocket.frameSender()) {
            MessagesToSend messages = new MessagesToSend();
            for (byte[] frame : frames) {
                messages.beginFrame(socket, frame.length, ifindex);
                messages.append(frame, 0, frame.length);
                messages.end();
            }
            messages.flush();
        }
        return null;
    }

    private static Process process(String... line) throws IOException {
        return new ProcessBuilder(line)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    private static String run(String... line) throws Exception {
        Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            fail(String.join(" ", line) + ": " + output);
        }
        return output.replace(GONE, "");
    }

    @Override
    public void close() throws IOException {
        process("ip", "netns", "del", here);
        process("ip", "netns", "del", there);
    }
}
