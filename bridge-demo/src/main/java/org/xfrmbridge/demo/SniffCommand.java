package org.xfrmbridge.demo;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.Callable;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.PacketSocket;
import org.xfrmbridge.daemon.os.PollSet;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * Prints a line for each frame on an interface until its standard input ends: {@code SECONDS KIND TEXT}. A process of
 * its own, since it has to be in a host's namespace.
 */
@Command(name = "sniff", hidden = true, description = "Prints what passes an interface, until standard input ends.")
final class SniffCommand implements Callable<Integer> {
    /** The line that says that nothing will be missed from now on. */
    static final String LISTENING = "listening on ";
    /** A line's second word, if the frame holds one of the patterns. */
    static final String SECRET = "SECRET";

    private static final int STANDARD_INPUT = 0;

    @Parameters(paramLabel = "IFACE")
    private String device;

    @Option(names = "--never", paramLabel = "HEX", description = "A pattern that no frame should hold.")
    private List<String> patterns = new ArrayList<>();

    @Override
    public Integer call() throws OsException {
        List<byte[]> secrets = patterns.stream().map(HexFormat.of()::parseHex).toList();
        long startNs = System.nanoTime();
        try (PacketSocket socket = new PacketSocket(device)) {
            System.out.println(LISTENING + device);
            PollSet waiting = new PollSet();
            int input = waiting.add(STANDARD_INPUT, PollSet.READ);
            waiting.add(socket.fd(), PollSet.READ);
            boolean last = false;
            while (!last) {
                waiting.await(-1);
                last = waiting.happened(input, PollSet.READ);
                for (byte[] frame = socket.poll(); frame != null; frame = socket.poll()) {
                    print((System.nanoTime() - startNs) / 1e9, frame, secrets);
                }
            }
        }
        return 0;
    }

    private static void print(double seconds, byte[] frame, List<byte[]> secrets) {
        FrameLine line = FrameLine.of(frame);
        boolean betrayed = secrets.stream().anyMatch(secret -> holds(frame, secret));
        System.out.printf("%.6f %s %s%n", seconds, betrayed ? SECRET : line.kind(), line.text());
    }

    private static boolean holds(byte[] frame, byte[] pattern) {
        for (int at = 0; at + pattern.length <= frame.length; at++) {
            if (Arrays.equals(frame, at, at + pattern.length, pattern, 0, pattern.length)) {
                return true;
            }
        }
        return false;
    }
}
