package org.xfrmbridge.db;

/**
 * The databases of one XFRM, which its control side changes and its datapath asks.
 *
 * @param sockets the policies of single sockets, which {@code spd} counts and shows, too
 */
public record Databases(Sad sad, Spd spd, SocketPolicies sockets) {
    /** Empty ones, for a host whose packets do not wait before they are judged. */
    public Databases() {
        this(() -> {});
    }

    /** Empty ones. @param beforeRemoval see {@link Spd#Spd(Runnable)} */
    public Databases(Runnable beforeRemoval) {
        this(new Sad(), new Spd(beforeRemoval));
    }

    private Databases(Sad sad, Spd spd) {
        this(sad, spd, new SocketPolicies(spd));
    }

    /** Number of States and Policies. Control thread. */
    public int size() {
        return sad.size() + spd.size();
    }
}
