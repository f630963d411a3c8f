package org.xfrmbridge.daemon.control;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.figures.Figures;
import org.xfrmbridge.daemon.figures.FiguresSource;
import org.xfrmbridge.km.ChangeListener;
import org.xfrmbridge.km.Migration;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.StateMigration;
import org.xfrmbridge.km.XfrmService;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;

/**
 * Writes one line per change. No key is ever in it. When changes come by the thousand the lines of a second are limited
 * and the rest is counted: writing them would cost more than the changes. What an SA's life is made of begins with its
 * SPI. Control thread only.
 */
public final class EventLog implements ChangeListener {
    private static final int LINES_PER_SECOND = 50;

    private final Clock clock;
    private final Logger log;
    private long second;
    private int lines;
    private long unsaid;

    public EventLog(Clock clock) {
        this(clock, LoggerFactory.getLogger(EventLog.class));
    }

    /** @param log that the lines are for */
    public EventLog(Clock clock, Logger log) {
        this.clock = clock;
        this.log = log;
    }

    /**
     * Whether one more line may be written in this second; if not, it is counted. Asked before a line is put together.
     */
    private boolean maySay() {
        long now = clock.epochSeconds();
        if (now != second) {
            flush();
            second = now;
            lines = 0;
        }
        if (lines++ < LINES_PER_SECOND) {
            return true;
        }
        unsaid++;
        return false;
    }

    private void say(String format, Object... arguments) {
        if (maySay()) {
            log.info(format, arguments);
        }
    }

    /** Says how many lines were left out; called now and then. */
    public void flush() {
        if (unsaid > 0) {
            log.info("and {} more changes", unsaid);
            unsaid = 0;
        }
    }

    @Override
    public void stateChanged(Change change, State state, Origin origin) {
        if (!maySay()) {
            return;
        }
        Figures.Sa sa = figures(state);
        if (change == Change.DELETE) {
            log.info(
                    "SA {} removed after {} s, {} packets, {} bytes: {}",
                    sa.spi(),
                    clock.epochSeconds() - sa.addedSeconds(),
                    sa.packets(),
                    sa.bytes(),
                    path(sa));
        } else {
            log.info("SA {} {}: {}, {}", sa.spi(), past(change.name()), path(sa), sa.algorithm());
        }
    }

    private Figures.Sa figures(State state) {
        return FiguresSource.of(state, clock.epochSeconds());
    }

    private static String path(Figures.Sa sa) {
        return "%s -> %s %s reqid %d %s".formatted(sa.source(), sa.destination(), sa.protocol(), sa.reqid(), sa.mode());
    }

    private static String past(String change) {
        return switch (change) {
            case "NEW" -> "added";
            case "UPDATE" -> "updated";
            default -> "removed";
        };
    }

    @Override
    public void statesFlushed(int protocol, Origin origin) {
        say("SAs flushed, protocol {}", protocol);
    }

    @Override
    public void policyChanged(Change change, Policy policy, boolean byIndex, Origin origin) {
        if (!maySay()) {
            return;
        }
        Selector selector = policy.spec().selector();
        log.info(
                "policy {}: {}/{} -> {}/{} {}",
                past(change.name()),
                selector.saddr().toText(selector.family()),
                selector.saddrPrefix(),
                selector.daddr().toText(selector.family()),
                selector.daddrPrefix(),
                policy);
    }

    @Override
    public void policiesFlushed(PolicySpec.Type type, Origin origin) {
        say("policies flushed, type {}", type);
    }

    @Override
    public void stateExpired(State state, boolean hard, int portId) {
        if (maySay()) {
            Figures.Sa sa = figures(state);
            log.info("SA {} reached a {} limit: {}", sa.spi(), hard ? "hard" : "soft", path(sa));
        }
    }

    @Override
    public void policyExpired(Policy policy, Direction direction, boolean hard, int portId) {
        say("policy reached a {} limit: {}", hard ? "hard" : "soft", policy);
    }

    @Override
    public void acquireSent(Acquire acquire) {
        if (maySay()) {
            log.info("acquire: {} wants an SA {}", acquire.policy(), path(figures(acquire.larval())));
        }
    }

    @Override
    public void mappingChanged(State state, Address newSaddr, int newSport) {
        if (maySay()) {
            Figures.Sa sa = figures(state);
            log.info(
                    "SA {} has its peer at {} port {} now: {}",
                    sa.spi(),
                    newSaddr.toText(state.spec().family()),
                    newSport,
                    path(sa));
        }
    }

    @Override
    public void migrated(Migration migration, Policy policy) {
        say("policy and its SAs moved to other addresses: {}", policy);
    }

    @Override
    public void stateMigrated(StateMigration migration, State moved, Origin origin) {
        if (maySay()) {
            Figures.Sa sa = figures(moved);
            log.info("SA {} moved to other addresses: {}", sa.spi(), path(sa));
        }
    }

    @Override
    public void defaultsChanged(XfrmService.Defaults defaults, Origin origin) {
        say("default verdicts: {}", defaults);
    }
}
