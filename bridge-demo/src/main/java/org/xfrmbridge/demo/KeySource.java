package org.xfrmbridge.demo;

/** Who puts SAs and policies into both bridges. */
sealed interface KeySource permits CharonKeys, ManualKeys {
    /** The title of its step. */
    String title();

    /** Does it, and shows what there is to see. When it returns, both directions are protected. */
    void install(DemoLab lab, Screen screen);
}
