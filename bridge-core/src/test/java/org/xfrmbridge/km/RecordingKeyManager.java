package org.xfrmbridge.km;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.State;

/** Writes down what it hears, one line each, and answers acquires as it is told to. */
final class RecordingKeyManager implements KeyManager {
    private final List<String> heard = new ArrayList<>();
    final List<Acquire> acquires = new ArrayList<>();
    final List<Integer> interfacesOfExpired = new ArrayList<>();
    State lastState;
    String keysOfLastState;
    boolean answersAcquires = true;
    boolean hearsReplay;

    /** What was heard since the last call. */
    List<String> take() {
        List<String> taken = List.copyOf(heard);
        heard.clear();
        return taken;
    }

    @Override
    public void stateChanged(Change change, State state, Origin origin) {
        lastState = state;
        keysOfLastState = state.spec().aead() == null
                ? null
                : HexFormat.of().formatHex(state.spec().aead().key());
        heard.add(change + " state " + spi(state) + " " + state.phase() + " for " + origin.portId() + "/"
                + origin.sequence());
    }

    @Override
    public void statesFlushed(int protocol, Origin origin) {
        heard.add("flushed states " + protocol);
    }

    @Override
    public void policyChanged(Change change, Policy policy, boolean byIndex, Origin origin) {
        heard.add(change + " policy " + policy.spec().index() + (byIndex ? " by index" : ""));
    }

    @Override
    public void migrated(Migration migration, Policy policy) {
        heard.add("migrated policy " + policy.spec().index());
    }

    @Override
    public void stateMigrated(StateMigration migration, State moved, Origin origin) {
        lastState = moved;
        heard.add("migrated state " + spi(moved) + " for " + origin.portId() + "/" + origin.sequence());
    }

    @Override
    public void policiesFlushed(PolicySpec.Type type, Origin origin) {
        heard.add("flushed policies " + type);
    }

    @Override
    public void stateExpired(State state, boolean hard, int portId) {
        lastState = state;
        interfacesOfExpired.add(state.spec().ifId());
        heard.add((hard ? "hard" : "soft") + " expire state " + spi(state) + " " + state.phase() + " for " + portId);
    }

    @Override
    public void policyExpired(Policy policy, Direction direction, boolean hard, int portId) {
        heard.add((hard ? "hard" : "soft") + " expire policy " + policy.spec().index() + " " + direction + " for "
                + portId);
    }

    @Override
    public boolean acquire(Acquire acquire) {
        acquires.add(acquire);
        heard.add("acquire " + acquire.larval().spec().seq());
        return answersAcquires;
    }

    @Override
    public void mappingChanged(State state, Address newSaddr, int newSport) {
        heard.add("mapping " + spi(state) + " " + newSaddr + ":" + newSport);
    }

    @Override
    public boolean hearsReplay() {
        return hearsReplay;
    }

    @Override
    public void replayChanged(State state, int flags, Origin origin) {
        heard.add("replay " + spi(state) + " cause " + flags + " oseq "
                + state.sequence().oseq() + " for " + origin.portId());
    }

    @Override
    public void defaultsChanged(XfrmService.Defaults defaults, Origin origin) {
        heard.add(defaults.toString());
    }

    private static String spi(State state) {
        return Integer.toHexString(state.id().spi());
    }
}
