package org.xfrmbridge.daemon.os;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class CurrentProcessTest {
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
}
