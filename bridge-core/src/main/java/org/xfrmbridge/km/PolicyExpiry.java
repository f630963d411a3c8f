package org.xfrmbridge.km;

import org.xfrmbridge.db.Spd;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.time.Timer;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Policy;

/**
 * Ends Policies in time, {@code xfrm_policy_timer}. Limits by bytes and packets mean nothing to a Policy, as in the
 * kernel. Unlike a State one that was never used counts its use from its adding, and a soft limit is told again and
 * again. Control thread only.
 */
final class PolicyExpiry {
    private static final long FIRST_LOOK_SECONDS = 1;

    /** {@code XFRM_KM_TIMEOUT}: how long a key manager has to act on a soft limit before it is told again. */
    private static final long REMIND_SECONDS = 30;

    private final class PolicyTimer extends Timer<Runnable> implements Runnable {
        private final Policy policy;

        PolicyTimer(Policy policy) {
            this.policy = policy;
        }

        @Override
        protected Runnable subject() {
            return this;
        }

        @Override
        public void run() {
            look(policy);
        }
    }

    private final Spd spd;
    private final KeyManagers keyManagers;
    private final ControlTimers timers;
    private final Clock clock;

    PolicyExpiry(Spd spd, KeyManagers keyManagers, ControlTimers timers, Clock clock) {
        this.spd = spd;
        this.keyManagers = keyManagers;
        this.timers = timers;
        this.clock = clock;
    }

    /** A Policy without limits in seconds, as most are, costs no timer. */
    void start(Policy policy) {
        Lifetime limits = policy.spec().lifetime();
        long any =
                limits.hardAddSeconds() | limits.hardUseSeconds() | limits.softAddSeconds() | limits.softUseSeconds();
        if (any != 0) {
            policy.setTimer(new PolicyTimer(policy));
            timers.setSeconds(policy.timer(), FIRST_LOOK_SECONDS);
        }
    }

    void stop(Policy policy) {
        if (policy.timer() != null) {
            timers.cancel(policy.timer());
        }
    }

    private void look(Policy policy) {
        Lifetime limits = policy.spec().lifetime();
        long hardSeconds = remaining(policy, limits.hardAddSeconds(), limits.hardUseSeconds());
        if (hardSeconds <= 0) {
            spd.remove(policy);
            keyManagers.policyExpired(policy, true, 0);
            return;
        }
        long softAddSeconds = remaining(policy, limits.softAddSeconds(), 0);
        long softUseSeconds = remaining(policy, 0, limits.softUseSeconds());
        if (softAddSeconds <= 0 || softUseSeconds <= 0) {
            keyManagers.policyExpired(policy, false, 0);
        }
        long softSeconds = Math.min(orReminder(softAddSeconds), orReminder(softUseSeconds));
        timers.setSeconds(policy.timer(), Math.min(hardSeconds, softSeconds));
    }

    private static long orReminder(long seconds) {
        return seconds <= 0 ? REMIND_SECONDS : seconds;
    }

    private long remaining(Policy policy, long addLimit, long useLimit) {
        long now = clock.epochSeconds();
        long added = policy.usage().addSeconds();
        long used = policy.usage().useSeconds() == 0 ? added : policy.usage().useSeconds();
        return Math.min(
                LifetimeDeadlines.remaining(addLimit, added, now), LifetimeDeadlines.remaining(useLimit, used, now));
    }
}
