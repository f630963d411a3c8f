package org.xfrmbridge.daemon.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/**
 * The place where the demo happens: two hosts, a wire between them, a directory for logs and sockets, and all that has
 * to be ended afterwards. One thread.
 *
 * <pre>
 *   host A  198.18.0.1 (lo)  192.0.2.1 eth0 ======== eth0 192.0.2.2  198.18.0.2 (lo)  host B
 * </pre>
 */
final class Lab {
    private final Path directory;
    private final Deque<Ending> endings = new ArrayDeque<>();
    private final Host a;
    private final Host b;

    /** Something to be undone. */
    interface Ending {
        void end() throws DemoException, InterruptedException;
    }

    /** Nothing is made yet but the directory. */
    Lab() throws DemoException {
        try {
            directory = Files.createTempDirectory("xfrm-bridge-demo-");
        } catch (IOException e) {
            throw new DemoException("no temporary directory can be made: " + e.getMessage());
        }
        String unique =
                HexFormat.of().toHexDigits((short) ThreadLocalRandom.current().nextInt());
        a = new Host(this, "A", "xbdemo-" + unique + "-a", 1);
        b = new Host(this, "B", "xbdemo-" + unique + "-b", 2);
    }

    Host a() {
        return a;
    }

    Host b() {
        return b;
    }

    List<Host> hosts() {
        return List.of(a, b);
    }

    Path directory() {
        return directory;
    }

    Path file(String name) {
        return directory.resolve(name);
    }

    Path write(String name, String text) throws DemoException {
        try {
            Path file = file(name);
            Files.createDirectories(file.getParent());
            return Files.writeString(file, text);
        } catch (IOException e) {
            throw new DemoException("cannot write to " + directory + ": " + e.getMessage());
        }
    }

    Command command(List<String> arguments) {
        return new Command(file("commands.log"), arguments);
    }

    /** Starts a program that is ended with the lab, before all that was started earlier. */
    Child start(String name, String logName, Command command) throws DemoException {
        Child child = new Child(name, file(logName), command);
        endings.push(child);
        return child;
    }

    /** Makes both hosts and joins them. */
    void build() throws DemoException, InterruptedException {
        for (Host host : hosts()) {
            endings.push(host::remove);
            host.make();
        }
        a.ip("link", "add", Host.DEVICE, "type", "veth", "peer", "name", Host.DEVICE, "netns", b.namespace());
        a.connect(b);
        b.connect(a);
    }

    /** Ends everything, whatever fails, and throws the first failure. The directory stays. */
    void end() throws DemoException, InterruptedException {
        DemoException failure = null;
        while (!endings.isEmpty()) {
            try {
                endings.pop().end();
            } catch (DemoException e) {
                failure = failure == null ? e : failure;
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    /** Removes the logs. */
    void forget() throws DemoException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new DemoException("the directory " + directory + " could not be removed: " + e.getMessage());
        }
    }
}
