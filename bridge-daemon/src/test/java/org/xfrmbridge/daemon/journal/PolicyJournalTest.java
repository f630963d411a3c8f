package org.xfrmbridge.daemon.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xfrmbridge.daemon.os.SystemClock;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.db.Dump;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.Migration;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.km.XfrmService;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.time.ManualClock;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicyKey;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.PolicySpecBuilder;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;

class PolicyJournalTest {
    private static final Address HERE = Address.ofIpv4(0xc000_0201);

    @TempDir
    private Path directory;

    private XfrmEngine engine;
    private PolicyJournal journal;

    @BeforeEach
    void begin() throws IOException {
        engine = engine();
        journal = PolicyJournal.begin(directory, engine, Thread::new);
    }

    private static XfrmEngine engine() {
        return engine(new SystemClock());
    }

    private static XfrmEngine engine(Clock clock) {
        return XfrmEngine.builder(new Databases(), clock).build();
    }

    private static PolicySpec spec(int peer, Mark mark, int ifId) {
        Selector selector = Selector.of(AddressFamily.INET)
                .saddr(HERE, 24)
                .daddr(Address.ofIpv4(0x0a00_0000 + peer), 32)
                .protocol(IpProtocol.UDP)
                .build();
        Template template = Template.builder()
                .id(new StateId(Address.ofIpv4(0xc000_0202), 0, IpProtocol.ESP))
                .family(AddressFamily.INET)
                .saddr(HERE)
                .reqid(7)
                .mode(Mode.TUNNEL)
                .build();
        return PolicySpec.builder()
                .selector(selector)
                .priority(peer % 3)
                .flags(PolicySpec.ICMP)
                .templates(List.of(template))
                .mark(mark)
                .ifId(ifId)
                .build();
    }

    private Policy add(int peer) throws XfrmException {
        return engine.addPolicy(spec(peer, Mark.NONE, 0), false, Origin.KERNEL);
    }

    private void delete(PolicySpec spec) throws XfrmException {
        engine.deletePolicy(
                new PolicyKey(
                        spec.type(), spec.direction(), spec.index(), spec.selector(), spec.mark(), spec.ifId(), null),
                Origin.KERNEL);
    }

    /** What a bridge has that comes after one which died, oldest first. */
    private List<PolicySpec> replayed() throws IOException {
        return specs(next(directory, true));
    }

    /** The engine of a bridge that comes after one which died. @param whole whether all that was there comes back */
    private static XfrmEngine next(Path directory, boolean whole) throws IOException {
        Databases databases = new Databases();
        assertEquals(whole, PolicyRestore.run(directory, databases, new SystemClock()));
        return XfrmEngine.builder(databases, new SystemClock()).build();
    }

    private static List<PolicySpec> specs(XfrmService service) {
        List<PolicySpec> specs = new ArrayList<>();
        Dump<Policy> walk = service.policies(null);
        for (Policy policy = walk.next(); policy != null; policy = walk.next()) {
            specs.addFirst(policy.spec());
        }
        return specs;
    }

    private static void flush(PolicyJournal journal) {
        journal.flush();
        settle(journal);
    }

    private static void settle(PolicyJournal journal) {
        while (journal.isBusy()) {
            Thread.onSpinWait();
        }
    }

    private byte[] content() throws IOException {
        return Files.readAllBytes(directory.resolve("policies"));
    }

    @Test
    void shouldBringPoliciesBackWithTheirIndexes() throws Exception {
        add(1);
        PolicySpec marked = engine.addPolicy(spec(2, new Mark(0x10, 0xff), 5), true, Origin.KERNEL)
                .spec();
        add(3);
        add(1);
        delete(add(4).spec());
        delete(marked);
        engine.addPolicy(spec(2, new Mark(0x20, 0xff), 6), true, Origin.KERNEL);
        flush(journal);
        assertEquals(3, replayed().size());
        assertEquals(specs(engine), replayed());
    }

    @Test
    void shouldGoOnWithLimitsWhereTheyWere() throws Exception {
        ManualClock before = new ManualClock(1_500_000_000L);
        XfrmEngine first = engine(before);
        PolicyJournal itsJournal = PolicyJournal.begin(directory, first, Thread::new);
        PolicySpecBuilder limited = PolicySpec.builder()
                .lifetime(Lifetime.builder().hardAddSeconds(100).build());
        first.addPolicy(limited.build(), true, Origin.KERNEL);
        flush(itsJournal);

        ManualClock after = new ManualClock(1_500_000_090L);
        Databases databases = new Databases();
        PolicyRestore.run(directory, databases, after);
        XfrmEngine next = XfrmEngine.builder(databases, after).build();

        assertEquals(1_500_000_000L, next.policies(null).next().usage().addSeconds());
        for (int second = 0; second < 8; second++) {
            after.advanceSeconds(1);
            next.runTimers();
        }
        assertEquals(1, specs(next).size());
        for (int second = 0; second < 4; second++) {
            after.advanceSeconds(1);
            next.runTimers();
        }
        assertEquals(0, specs(next).size());
    }

    /** Masks without a bit, which netlink takes for no algorithm at all. */
    @Test
    void shouldBringPoliciesOfPfkeyBackAsTheyWork() throws Exception {
        PolicySpec spec = spec(1, Mark.NONE, 0);
        Template t = spec.templates().getFirst();
        Template any = Template.builder()
                .id(t.id())
                .family(t.family())
                .saddr(t.saddr())
                .reqid(t.reqid())
                .mode(t.mode())
                .share(t.share())
                .optional(t.optional())
                .authMask(0)
                .cipherMask(0)
                .compressionMask(0)
                .build();
        engine.addPolicy(spec.withTemplates(List.of(any)), true, Origin.KERNEL);
        flush(journal);
        assertTrue(replayed().getFirst().templates().getFirst().allAlgorithms());
    }

    @Test
    void shouldForgetFlushedAndExpiredPolicies() throws Exception {
        add(1);
        engine.flushPolicies(PolicySpec.Type.MAIN, Origin.KERNEL);
        add(2);
        PolicySpec expiring = add(3).spec();
        engine.expirePolicy(
                new PolicyKey(
                        expiring.type(), Direction.OUT, expiring.index(), expiring.selector(), Mark.NONE, 0, null),
                true,
                Origin.KERNEL);
        flush(journal);
        assertEquals(specs(engine), replayed());
        assertEquals(1, replayed().size());
    }

    @Test
    void shouldKnowWhereMigratedPoliciesWent() throws Exception {
        add(1);
        PolicySpec before = add(2).spec();
        add(3);
        Address peer = before.templates().getFirst().id().daddr();
        Address moved = Address.ofIpv4(0xc633_6401);
        Migration.Move move = new Migration.Move(
                peer,
                HERE,
                moved,
                HERE,
                IpProtocol.ESP,
                Mode.TUNNEL.number(),
                7,
                AddressFamily.INET,
                AddressFamily.INET);
        engine.migrate(new Migration(
                before.selector(), Direction.OUT.number(), PolicySpec.Type.MAIN, List.of(move), null, null, 0));
        flush(journal);
        PolicySpec after = before.withTemplates(specs(engine).get(1).templates());
        assertEquals(moved, after.templates().getFirst().id().daddr());
        assertEquals(Set.of(specs(engine).get(0), after, specs(engine).get(2)), Set.copyOf(replayed()));
    }

    @Test
    void shouldKeepDefaultVerdicts() throws Exception {
        engine.setDefaults(new XfrmService.Defaults(1, 2, 1), Origin.KERNEL);
        flush(journal);
        XfrmEngine next = next(directory, true);
        assertEquals(new XfrmService.Defaults(1, 2, 1), next.defaults());
    }

    @Test
    void shouldCloseWhenItIsCutShortAtTheEnd() throws Exception {
        add(1);
        add(2);
        flush(journal);
        try (FileChannel file = FileChannel.open(directory.resolve("policies"), StandardOpenOption.WRITE)) {
            file.truncate(file.size() - 3);
        }
        assertEquals(specs(engine).subList(0, 1), closed());
    }

    /** What comes back of a journal that is known not to be whole. */
    private List<PolicySpec> closed() throws IOException {
        XfrmEngine next = next(directory, false);
        assertEquals(new XfrmService.Defaults(1, 1, 1), next.defaults());
        return specs(next);
    }

    @Test
    void shouldCloseWhenAChangeWasNotWrittenBeforeTheEnd() throws Exception {
        add(1);
        flush(journal);
        add(2);
        assertEquals(1, closed().size());
    }

    @Test
    void shouldCloseWhenAWholeEntryIsMissingInTheMiddleOfAFlood() throws Exception {
        for (int peer = 0; peer < 100; peer++) {
            add(peer);
        }
        flush(journal);
        long entryBytes = (Files.size(directory.resolve("policies")) - 24) / 101;
        try (FileChannel file = FileChannel.open(directory.resolve("policies"), StandardOpenOption.WRITE)) {
            file.truncate(file.size() - 60 * entryBytes);
        }
        closed();
    }

    @Test
    void shouldCloseWhenEitherFileIsGone() throws Exception {
        add(1);
        flush(journal);
        byte[] count = Files.readAllBytes(directory.resolve("policies.count"));
        Files.delete(directory.resolve("policies.count"));
        assertEquals(1, closed().size());
        Files.write(directory.resolve("policies.count"), count);
        Files.delete(directory.resolve("policies"));
        assertEquals(0, closed().size());
    }

    @Test
    void shouldStayClosedOverAnotherEndUntilAClientSetsDefaultVerdicts() throws Exception {
        add(1);
        flush(journal);
        add(2);
        XfrmEngine next = next(directory, false);
        PolicyJournal second = PolicyJournal.begin(directory, next, Thread::new);
        XfrmEngine third = next(directory, true);
        assertEquals(new XfrmService.Defaults(1, 1, 1), third.defaults());
        next.setDefaults(new XfrmService.Defaults(2, 2, 2), Origin.KERNEL);
        flush(second);
        third = next(directory, true);
        assertEquals(new XfrmService.Defaults(2, 2, 2), third.defaults());
    }

    /** What was below the one that took its place, and was not written down. */
    @Test
    void shouldNotBringAPolicyBackThatLetsPassWhenOthersAreMissing() throws Exception {
        PolicySpecBuilder letsPass =
                PolicySpec.builder().selector(spec(1, Mark.NONE, 0).selector());
        engine.addPolicy(letsPass.build(), true, Origin.KERNEL);
        flush(journal);
        PolicySpecBuilder blocks =
                PolicySpec.builder().selector(letsPass.selector()).action(PolicySpec.Action.BLOCK);
        engine.addPolicy(blocks.build(), false, Origin.KERNEL);
        assertEquals(List.of(), closed());
    }

    @Test
    void shouldRefusePoliciesWhileTheDiskIsFullAndBeWholeWhenThereIsRoom() throws Exception {
        try (SmallDisk disk = new SmallDisk(directory.resolve("disk"))) {
            XfrmEngine here = engine();
            PolicyJournal full = PolicyJournal.begin(disk.path(), here, Thread::new);
            PolicySpec first =
                    here.addPolicy(spec(1, Mark.NONE, 0), true, Origin.KERNEL).spec();
            flush(full);
            disk.fill();
            int acknowledged = 0;
            XfrmException refusal = null;
            while (refusal == null && acknowledged < 1000) {
                try {
                    here.addPolicy(spec(2 + acknowledged, Mark.NONE, 0), true, Origin.KERNEL);
                    acknowledged++;
                    flush(full);
                } catch (XfrmException e) {
                    refusal = e;
                }
            }
            assertEquals(Errno.ENOSPC, refusal.errno());
            assertTrue(refusal.getMessage().contains("cannot write policies down"), refusal.getMessage());
            assertEquals(
                    Errno.ENOSPC,
                    assertThrows(
                                    XfrmException.class,
                                    () -> here.setDefaults(new XfrmService.Defaults(1, 1, 1), Origin.KERNEL))
                            .errno());
            XfrmEngine next = next(disk.path(), false);
            assertEquals(new XfrmService.Defaults(1, 1, 1), next.defaults());
            here.deletePolicy(
                    new PolicyKey(
                            first.type(), first.direction(), first.index(), first.selector(), first.mark(), 0, null),
                    Origin.KERNEL);

            disk.makeRoom();
            here.addPolicy(spec(5000, Mark.NONE, 0), true, Origin.KERNEL);
            flush(full);
            next = next(disk.path(), true);
            assertEquals(specs(here), specs(next));
        }
    }

    /** The thread for floods meets it, and nobody asks: upkeep mends. */
    @Test
    void shouldBeWholeAfterAFloodOnAFullDiskWhenThereIsRoom() throws Exception {
        try (SmallDisk disk = new SmallDisk(directory.resolve("disk"))) {
            XfrmEngine here = engine();
            PolicyJournal full = PolicyJournal.begin(disk.path(), here, Thread::new);
            disk.fill();
            for (int peer = 0; peer < 500; peer++) {
                here.addPolicy(spec(peer, Mark.NONE, 0), true, Origin.KERNEL);
            }
            flush(full);
            full.upkeep();
            settle(full);
            next(disk.path(), false);
            disk.makeRoom();
            full.upkeep();
            settle(full);
            here.addPolicy(spec(600, Mark.NONE, 0), true, Origin.KERNEL);
            flush(full);
            XfrmEngine next = next(disk.path(), true);
            assertEquals(specs(here), specs(next));
        }
    }

    /** A bridge that does not start keeps all of the host closed, not only what was protected. */
    @Test
    void shouldGoOnFromWhatABridgeLeftWhenThereIsNoRoomForMore() throws Exception {
        try (SmallDisk disk = new SmallDisk(directory.resolve("disk"))) {
            XfrmEngine ended = engine();
            PolicyJournal left = PolicyJournal.begin(disk.path(), ended, Thread::new);
            ended.addPolicy(spec(1, Mark.NONE, 0), true, Origin.KERNEL);
            left.leave();
            disk.fill();
            XfrmEngine here = next(disk.path(), true);
            PolicyJournal full = PolicyJournal.begin(disk.path(), here, Thread::new);
            assertEquals(
                    Errno.ENOSPC,
                    assertThrows(XfrmException.class, () -> here.addPolicy(spec(2, Mark.NONE, 0), true, Origin.KERNEL))
                            .errno());
            assertEquals(specs(ended), specs(next(disk.path(), true)));
            disk.makeRoom();
            full.upkeep();
            settle(full);
            here.addPolicy(spec(2, Mark.NONE, 0), true, Origin.KERNEL);
            flush(full);
            assertEquals(specs(here), specs(next(disk.path(), true)));
        }
    }

    @Test
    void shouldBeRefusedWhereNothingCanBeWritten() throws Exception {
        try (SmallDisk disk = new SmallDisk(directory.resolve("disk"))) {
            disk.fill();
            String reason = assertThrows(
                            IOException.class, () -> PolicyJournal.begin(disk.path(), engine(), Thread::new))
                    .getMessage();
            assertTrue(reason.contains("make room or choose another directory"), reason);
        }
    }

    @Test
    void shouldWriteAllAgainWhenTheFilesWereRemoved() throws Exception {
        add(1);
        flush(journal);
        PolicyJournal.delete(directory);
        journal.upkeep();
        settle(journal);
        add(2);
        flush(journal);
        assertEquals(specs(engine), replayed());
    }

    @Test
    void shouldGoOnWithTheOldFileWhenThereIsNoRoomForAShorterOne() throws Exception {
        try (SmallDisk disk = new SmallDisk(directory.resolve("disk"))) {
            XfrmEngine here = engine();
            PolicyJournal full = PolicyJournal.begin(disk.path(), here, Thread::new);
            for (int round = 0; round < 5000; round++) {
                here.addPolicy(spec(1, Mark.NONE, 0), false, Origin.KERNEL);
            }
            here.addPolicy(spec(2, Mark.NONE, 0), true, Origin.KERNEL);
            flush(full);
            disk.fill();
            full.upkeep();
            settle(full);
            XfrmEngine next = next(disk.path(), true);
            assertEquals(specs(here), specs(next));
        }
    }

    @Test
    void shouldStayShortWhenPoliciesComeAndGo() throws Exception {
        PolicySpec stays = add(1).spec();
        for (int round = 0; round < 40; round++) {
            for (int peer = 2; peer < 502; peer++) {
                delete(add(peer).spec());
            }
            flush(journal);
        }
        journal.upkeep();
        settle(journal);
        assertTrue(content().length < 1024, content().length + " bytes");
        assertEquals(List.of(stays), replayed());
    }

    @Test
    void shouldKeepTheOrderOfFloodsAndOfFewChanges() throws Exception {
        List<PolicySpec> added = new ArrayList<>();
        for (int round = 0; round < 100; round++) {
            for (int peer = 0; peer < 50; peer++) {
                added.add(add(1000 * round + peer).spec());
            }
            journal.flush();
            delete(added.removeLast());
            journal.flush();
            add(1000 * round);
            journal.flush();
        }
        flush(journal);
        assertEquals(4900, replayed().size());
        assertEquals(specs(engine), replayed());
    }

    @Test
    void shouldHaveWrittenAllWhenFewChangesAreFlushed() throws Exception {
        add(1);
        add(2);
        journal.flush();
        assertFalse(journal.isBusy());
        assertEquals(specs(engine), replayed());
    }

    @Test
    void shouldHoldNoKeysAndBeTheOwnersAlone() throws Exception {
        byte[] key = "0123456789abcdefNaCl".getBytes(StandardCharsets.US_ASCII);
        StateSpecBuilder state = StateSpec.builder()
                .id(new StateId(HERE, 0x1000, IpProtocol.ESP))
                .saddr(HERE)
                .family(AddressFamily.INET)
                .mode(Mode.TUNNEL)
                .aead(new Algorithm("rfc4106(gcm(aes))", 160, 128, key.clone()));
        engine.addState(state.build(), Origin.KERNEL);
        add(1);
        flush(journal);
        String text = new String(content(), StandardCharsets.ISO_8859_1);
        assertFalse(text.contains(new String(key, 0, 8, StandardCharsets.ISO_8859_1)));
        assertEquals(
                "rw-------",
                PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve("policies"))));
    }

    @Test
    void shouldBeginWithWhatIsThereAndEndWithoutAFile() throws Exception {
        add(1);
        flush(journal);
        XfrmEngine next = next(directory, true);
        PolicyJournal second = PolicyJournal.begin(directory, next, Thread::new);
        assertEquals(specs(engine), replayed());
        second.end();
        assertFalse(Files.exists(directory.resolve("policies")));
        assertEquals(List.of(), replayed());
    }
}
