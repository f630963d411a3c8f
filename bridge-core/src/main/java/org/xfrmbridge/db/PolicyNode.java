package org.xfrmbridge.db;

import java.util.function.Consumer;

/** Some policies, at least one. */
sealed interface PolicyNode permits PolicySet, HashTrie {
    /** No policy here has a lower rank, and one has this. */
    long bestRank();

    /** Any of the policies, where all match the same flows the best. */
    SpdEntry sample();

    void forEach(Consumer<SpdEntry> action);
}
