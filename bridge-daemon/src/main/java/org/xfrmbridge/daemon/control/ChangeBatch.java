package org.xfrmbridge.daemon.control;

/**
 * A moment at which several changes are made together: those that one datagram of a client asked for, or timers that
 * are due. Control thread only.
 */
public interface ChangeBatch {
    /** One that nobody cares about. */
    ChangeBatch NONE = new ChangeBatch() {
        @Override
        public void begin() {}

        @Override
        public void end() {}
    };

    /** This and then another; they end the other way round. */
    default ChangeBatch and(ChangeBatch other) {
        ChangeBatch first = this;
        return new ChangeBatch() {
            @Override
            public void begin() {
                first.begin();
                other.begin();
            }

            @Override
            public void end() {
                other.end();
                first.end();
            }
        };
    }

    /** The datagram has come; nothing has been done yet. */
    void begin();

    /** All has been done. */
    void end();
}
