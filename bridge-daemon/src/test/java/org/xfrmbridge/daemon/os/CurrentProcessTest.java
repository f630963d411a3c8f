package org.xfrmbridge.daemon.os;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class CurrentProcessTest {
    /** proc_pid_stat(5), behind the name. */
    private static final int NICE = 16;

    @Test
    void shouldFindWhatTheBuildHasPutBesideTheClasses() throws IOException {
        assertEquals(
                Path.of("target/xfrm-bridge-guard").toRealPath(),
                CurrentProcess.programFile("xfrm-bridge-guard").toRealPath());
    }

    @Test
    void shouldNameTheFileThatIsNotThere() {
        IOException reason = assertThrows(IOException.class, () -> CurrentProcess.programFile("nothing"));
        assertTrue(reason.getMessage().contains("target/nothing is not there"), reason.getMessage());
    }

    @Test
    void shouldGiveOthersMoreTimeThanWhatCompilesForSpeed() throws IOException {
        CurrentProcess.lowerCompilerPriority();
        Set<String> nice = new HashSet<>();
        try (DirectoryStream<Path> threads = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
            for (Path thread : threads) {
                String stat = Files.readString(thread.resolve("stat"));
                if (stat.contains("(C2 ")) {
                    nice.add(stat.substring(stat.lastIndexOf(')') + 2).split(" ")[NICE]);
                }
            }
        }
        assertEquals(Set.of("5"), nice);
    }
}
