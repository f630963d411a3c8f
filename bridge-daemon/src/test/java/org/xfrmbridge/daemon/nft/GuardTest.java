package org.xfrmbridge.daemon.nft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.xfrmbridge.daemon.TestNetwork;
import org.xfrmbridge.daemon.os.PollSet;

/** A table belongs to a socket, and others' flush goes past it as long as anybody holds that. */
@Timeout(60)
class GuardTest {
    private static final int OWNER = 2;

    @TempDir
    private Path directory;

    private TestNetwork network;

    @BeforeEach
    void open() throws Exception {
        network = new TestNetwork();
        TestNetwork.need("nft");
    }

    @AfterEach
    void close() throws Exception {
        process().ifPresent(ProcessHandle::destroyForcibly);
        network.close();
    }

    private Optional<ProcessHandle> process() {
        return ProcessHandle.allProcesses()
                .filter(process -> process.info().commandLine().orElse("").endsWith("guard " + directory))
                .findAny();
    }

    private void kill() throws Exception {
        ProcessHandle guard = process().orElseThrow();
        guard.destroyForcibly();
        while (guard.isAlive()) {
            Thread.sleep(10);
        }
    }

    private Guard openGuard() throws Exception {
        return network.inHere(() -> Guard.open(directory));
    }

    private static void addTable(Guard guard) throws Exception {
        new NetfilterSocket(guard.socket()).commit(new Batch(Batch.Family.INET, "guarded").addTable(OWNER));
    }

    private String tablesAfterFlush() throws Exception {
        network.exec("nft flush ruleset");
        return network.exec("nft list tables").trim();
    }

    @Test
    void shouldHoldTheTablesWhenTheBridgeIsGone() throws Exception {
        Guard first = openGuard();
        addTable(first);
        first.close();
        assertEquals("table inet guarded", tablesAfterFlush());
        Guard next = openGuard();
        // It is the owner: another one would be refused.
        new NetfilterSocket(next.socket()).commit(new Batch(Batch.Family.INET, "guarded").deleteTable());
        next.end();
    }

    @Test
    void shouldBeStartedAnewWhenItDies() throws Exception {
        Guard guard = openGuard();
        long before = process().orElseThrow().pid();
        addTable(guard);
        kill();
        assertEquals("table inet guarded", tablesAfterFlush(), "the bridge holds the socket, too");
        guard.keep();
        assertNotEquals(before, process().orElseThrow().pid());
        guard.close();
        assertEquals("table inet guarded", tablesAfterFlush());
    }

    @Test
    void shouldBeThereWhenTheBridgeEndsThoughItHadDied() throws Exception {
        Guard guard = openGuard();
        addTable(guard);
        kill();
        guard.close();
        assertEquals("table inet guarded", tablesAfterFlush());
    }

    @Test
    void shouldTellOfEachDeathOnce() throws Exception {
        Guard guard = openGuard();
        PollSet told = new PollSet();
        told.add(guard.fd(), PollSet.READ);
        for (int death = 0; death < 2; death++) {
            assertEquals(0, told.await(0));
            kill();
            assertEquals(1, told.await(1000));
            guard.keep();
        }
        assertEquals(0, told.await(0));
        guard.end();
    }

    @Test
    void shouldEndThoughItHadDied() throws Exception {
        Guard guard = openGuard();
        kill();
        guard.end();
        assertEquals(Optional.empty(), process());
    }

    @Test
    void shouldEndWhenItIsToldTo() throws Exception {
        Guard guard = openGuard();
        ProcessHandle process = process().orElseThrow();
        guard.end();
        process.onExit().get();
        assertFalse(Files.exists(directory.resolve("guard")));
    }

    @Test
    void shouldBeForRootAlone() throws Exception {
        Guard guard = openGuard();
        assertTrue(network.exec("stat -c %a%u " + directory.resolve("guard")).startsWith("6000"));
        guard.end();
    }
}
