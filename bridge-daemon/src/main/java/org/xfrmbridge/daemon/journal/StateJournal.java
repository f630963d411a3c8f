package org.xfrmbridge.daemon.journal;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadFactory;
import org.xfrmbridge.db.Dump;
import org.xfrmbridge.km.ChangeListener;
import org.xfrmbridge.km.Migration;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.StateMigration;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.State;

/**
 * Keeps in DIR/states what an EXPIRE needs of each State, and no key: who had them is told by the next bridge that they
 * are gone ({@link LostStatesReader}), and negotiates at once. It must not cost what daemons do not need: at most
 * {@value #MOST_PER_SECOND} changes a second are followed, at most {@value #MOST_STATES} States are in the file. After
 * more it is written anew by {@link #upkeep}; a bridge that ends before leaves an old one, which tells of States that
 * are long gone, and not of new ones. Control thread only, but for {@link #begin} before it starts and {@link #leave}
 * after it ended.
 */
public final class StateJournal implements ChangeListener {
    static final String NAME = "states";
    private static final String CONSEQUENCE = "daemons hear late that their SAs are gone";
    private static final int MOST_PER_SECOND = 1000;
    private static final int MOST_STATES = 1 << 15;

    /** A journal that is shorter is not worth tidying. */
    private static final int SHORT_ENTRIES = 1 << 12;

    private final XfrmEngine engine;
    private final Clock clock;
    private final JournalWriter writer;
    private List<JournalEntry> gathered = new ArrayList<>();
    private long second;
    private int changes;

    /** Whether the file does not follow until it is written anew. */
    private boolean behind;

    private long entries;
    private long living;

    /**
     * What is there now, with what was lost before and is still to be told, and every change from now on goes to a new
     * journal; a directory's old one is replaced.
     *
     * @param threads makes the thread that writes floods
     */
    public static StateJournal begin(Path directory, XfrmEngine engine, Clock clock, ThreadFactory threads)
            throws IOException {
        StateJournal journal = new StateJournal(directory, engine, clock, threads);
        engine.listen(journal);
        return journal;
    }

    private StateJournal(Path directory, XfrmEngine engine, Clock clock, ThreadFactory threads) throws IOException {
        this.engine = engine;
        this.clock = clock;
        writer = new JournalWriter(directory, NAME, CONSEQUENCE, threads, whole());
    }

    /** Puts what was gathered where it outlives the process; called at the end of each round. */
    public void flush() {
        if (!gathered.isEmpty()) {
            writer.append(gathered);
            gathered = new ArrayList<>();
        }
    }

    /** Writes the journal anew if it is behind, of little use or not whole; called every few seconds. */
    public void upkeep() {
        flush();
        if (!writer.isBusy()) {
            writer.checkPlace();
            if (behind || writer.fault() != null || entries > SHORT_ENTRIES + 2 * living) {
                behind = false;
                writer.replace(whole());
            }
        }
    }

    /** Whether something that was flushed is still on its way to the file. */
    boolean isBusy() {
        return writer.isBusy();
    }

    /** The bridge ends; the file stays. */
    public void leave() {
        upkeep();
        writer.end();
    }

    public static void delete(Path directory) throws IOException {
        JournalFile.delete(directory, NAME);
    }

    private List<JournalEntry> whole() {
        List<JournalEntry> whole = new ArrayList<>();
        for (State state : engine.lostStates()) {
            whole.add(new JournalEntry.StatePut(state));
        }
        Dump<State> walk = engine.states(State::isValid);
        for (State next = walk.next(); next != null && whole.size() < MOST_STATES; next = walk.next()) {
            whole.add(new JournalEntry.StatePut(next));
        }
        entries = whole.size();
        living = entries;
        return whole;
    }

    /** Whether one more change is followed. */
    private boolean follows() {
        long now = clock.epochSeconds();
        if (now != second) {
            second = now;
            changes = 0;
        }
        behind |= ++changes > MOST_PER_SECOND;
        return !behind;
    }

    private void put(JournalEntry entry) {
        gathered.add(entry);
        entries++;
    }

    @Override
    public void stateChanged(Change change, State state, Origin origin) {
        if (!follows()) {
            return;
        }
        if (change == Change.DELETE) {
            put(new JournalEntry.StateRemoval(state));
        } else if (state.isValid()) {
            put(new JournalEntry.StatePut(state));
        }
    }

    @Override
    public void statesFlushed(int protocol, Origin origin) {
        if (follows()) {
            put(new JournalEntry.StateFlush(protocol));
        }
    }

    @Override
    public void stateExpired(State state, boolean hard, int portId) {
        if (hard && follows()) {
            put(new JournalEntry.StateRemoval(state));
        }
    }

    @Override
    public void stateMigrated(StateMigration migration, State moved, Origin origin) {
        behind = true;
    }

    @Override
    public void migrated(Migration migration, Policy policy) {
        behind = true;
    }
}
