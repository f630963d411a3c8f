package org.xfrmbridge.lab;

/** What did not come about, in one sentence; what programs printed may stand on the lines below it. */
public final class LabException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public LabException(String sentence) {
        super(sentence);
    }

    public LabException(String sentence, String output) {
        super(sentence + "\n" + output);
    }

    LabException(String sentence, Throwable cause) {
        super(sentence, cause);
    }
}
