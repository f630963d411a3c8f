package org.xfrmbridge.daemon.doctor;

/**
 * Something of a host that was looked at.
 *
 * @param what it is, for people
 * @param said what was found and, unless all is well, what to do; null if there is nothing to say
 */
public record Diagnosis(Verdict verdict, String what, String said) {
    /** What it means for a bridge. */
    public enum Verdict {
        OK("ok"),
        /** No bridge can run so, or none protects anything. */
        WRONG("WRONG"),
        /** To be known. */
        NOTE("note"),
        /** It cannot be seen from here. */
        UNSEEN("?");

        private final String sign;

        Verdict(String sign) {
            this.sign = sign;
        }
    }

    static Diagnosis ok(String what, String said) {
        return new Diagnosis(Verdict.OK, what, said);
    }

    static Diagnosis wrong(String what, String said) {
        return new Diagnosis(Verdict.WRONG, what, said);
    }

    static Diagnosis note(String what, String said) {
        return new Diagnosis(Verdict.NOTE, what, said);
    }

    static Diagnosis unseen(String what, String said) {
        return new Diagnosis(Verdict.UNSEEN, what, said);
    }

    @Override
    public String toString() {
        return "  %-5s  %s%s".formatted(verdict.sign, what, said == null ? "" : ": " + said);
    }
}
