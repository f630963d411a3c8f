package org.xfrmbridge.km;

/**
 * One control front end as the core sees it, {@code struct xfrm_mgr}: netlink and PF_KEY are two of them. It hears of
 * changes and may answer for a daemon behind it.
 */
public interface KeyManager extends ChangeListener {
    /**
     * A Template found no State. Control thread.
     *
     * @return whether somebody listens and will answer; if no key manager does, the larval State is given up at once
     */
    boolean acquire(Acquire acquire);

    /**
     * Whether somebody listens to {@link #replayChanged}; while nobody does no replay counter is watched
     * ({@code xfrm_aevent_is_on}). Any thread asks, often.
     */
    default boolean hearsReplay() {
        return false;
    }
}
