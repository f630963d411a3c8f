package org.xfrmbridge.daemon.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.time.ManualClock;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.StateSpec;

class StateJournalTest {
    private static final Address HERE = Address.ofIpv4(0xc000_0201);
    private static final Address THERE = Address.ofIpv4(0xc000_0202);
    private static final String KEY = "0123456789abcdefNaCl";

    @TempDir
    private Path directory;

    private final ManualClock clock = new ManualClock(1_500_000_000L);
    private XfrmEngine engine;
    private StateJournal journal;

    @BeforeEach
    void begin() throws IOException {
        engine = XfrmEngine.builder(new Databases(), clock).build();
        journal = StateJournal.begin(directory, engine, clock, Thread::new);
    }

    private static StateSpec spec(int spi, Mark mark) {
        return StateSpec.builder()
                .id(new StateId(THERE, spi, IpProtocol.ESP))
                .saddr(HERE)
                .family(AddressFamily.INET)
                .mode(Mode.TUNNEL)
                .reqid(7)
                .ifId(5)
                .mark(mark)
                .aead(new Algorithm("rfc4106(gcm(aes))", 160, 128, KEY.getBytes(StandardCharsets.US_ASCII)))
                .build();
    }

    private void add(int spi) throws XfrmException {
        engine.addState(spec(spi, Mark.NONE), Origin.KERNEL);
    }

    private void delete(int spi) throws XfrmException {
        engine.deleteState(
                new StateKey(new StateId(THERE, spi, IpProtocol.ESP), AddressFamily.INET, Mark.NONE, null),
                Origin.KERNEL);
    }

    private void settle() {
        while (journal.isBusy()) {
            Thread.onSpinWait();
        }
    }

    private List<Integer> lost() {
        List<Integer> spis = new ArrayList<>();
        LostStatesReader.read(directory).forEach(state -> spis.add(state.id().spi()));
        return spis;
    }

    @Test
    void shouldNameWhatWasThereWithoutKeys() throws Exception {
        add(1);
        engine.addState(spec(2, new Mark(3, 0xff)), Origin.KERNEL);
        add(3);
        delete(3);
        journal.flush();
        assertEquals(List.of(1, 2), lost());
        State second = List.copyOf(LostStatesReader.read(directory)).getLast();
        assertEquals(HERE, second.spec().saddr());
        assertEquals(7, second.spec().reqid());
        assertEquals(5, second.spec().ifId());
        assertEquals(new Mark(3, 0xff), second.spec().mark());
        assertEquals(Mode.TUNNEL, second.spec().mode());
        String text = Files.readString(directory.resolve("states"), StandardCharsets.ISO_8859_1);
        assertFalse(text.contains(KEY.substring(0, 8)));
    }

    @Test
    void shouldForgetWhatWasFlushed() throws Exception {
        add(1);
        engine.flushStates(0, Origin.KERNEL);
        add(2);
        journal.flush();
        assertEquals(List.of(2), lost());
    }

    /** A flood is not followed, and what it leaves is there when the file was written anew. */
    @Test
    void shouldNotFollowFloodsAndCatchUp() throws Exception {
        for (int spi = 1; spi <= 40_000; spi++) {
            add(spi);
        }
        journal.flush();
        settle();
        assertEquals(1000, lost().size());
        journal.upkeep();
        settle();
        assertEquals(1 << 15, lost().size());
        assertTrue(Files.size(directory.resolve("states")) < 10 << 20);
        engine.flushStates(0, Origin.KERNEL);
        add(5);
        clock.advanceSeconds(1);
        journal.upkeep();
        settle();
        assertEquals(List.of(5), lost());
    }

    @Test
    void shouldKeepWhatIsStillToBeTold() throws Exception {
        add(1);
        journal.flush();
        XfrmEngine next = XfrmEngine.builder(new Databases(), clock)
                .lostStates(LostStatesReader.read(directory))
                .build();
        StateJournal.begin(directory, next, clock, Thread::new);
        assertEquals(List.of(1), lost());
    }

    @Test
    void shouldLeaveOutWhatIsDamaged() throws Exception {
        add(1);
        add(2);
        journal.flush();
        Path file = directory.resolve("states");
        byte[] content = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(content, content.length - 3));
        assertEquals(List.of(1), lost());
        Files.write(file, new byte[] {16, 0, 0, 0, 0x18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
        assertEquals(List.of(), lost());
    }

    @Test
    void shouldGoOnWhenTheDiskIsFull() throws Exception {
        try (SmallDisk disk = new SmallDisk(directory.resolve("disk"))) {
            StateJournal full = StateJournal.begin(disk.path(), engine, clock, Thread::new);
            disk.fill();
            for (int spi = 1; spi <= 100; spi++) {
                add(spi);
                full.flush();
            }
            disk.makeRoom();
            full.upkeep();
            while (full.isBusy()) {
                Thread.onSpinWait();
            }
            assertEquals(100, LostStatesReader.read(disk.path()).size());
        }
    }
}
