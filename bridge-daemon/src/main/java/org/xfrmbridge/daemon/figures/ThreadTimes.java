package org.xfrmbridge.daemon.figures;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** How much processor time the threads of this process have used. */
final class ThreadTimes {
    /** Those of the JVM have other names, and there may be any number. */
    private static final Set<String> OWN =
            Set.of("outbound", "inbound", "clear", "control", "guests", "journal", "daemons", "metrics");

    private static final String REST = "jvm";

    /** USER_HZ, which is the same on all machines that Linux runs on here. */
    private static final double TICKS_PER_SECOND = 100;

    // proc_pid_stat(5), counted from behind the name
    private static final int UTIME = 11;
    private static final int STIME = 12;

    private ThreadTimes() {}

    /** In seconds by name. Empty without /proc. */
    static Map<String, Double> read() {
        Map<String, Double> seconds = new TreeMap<>();
        try (DirectoryStream<Path> tasks = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
            for (Path task : tasks) {
                add(task, seconds);
            }
        } catch (IOException e) {
            return Map.of();
        }
        return seconds;
    }

    private static void add(Path task, Map<String, Double> seconds) {
        String stat;
        try {
            stat = Files.readString(task.resolve("stat"));
        } catch (IOException e) {
            // It has ended meanwhile.
            return;
        }
        int end = stat.lastIndexOf(')');
        String name = stat.substring(stat.indexOf('(') + 1, end);
        String[] fields = stat.substring(end + 2).split(" ");
        double used = (Long.parseLong(fields[UTIME]) + Long.parseLong(fields[STIME])) / TICKS_PER_SECOND;
        seconds.merge(OWN.contains(name) ? name : REST, used, Double::sum);
    }
}
