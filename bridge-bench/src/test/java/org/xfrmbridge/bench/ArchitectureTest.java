package org.xfrmbridge.bench;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "org.xfrmbridge.bench", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {
    /** What is measured is the core: no client's message and no socket is in the figures. */
    @ArchTest
    static final ArchRule shouldMeasureTheCoreAlone = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "org.xfrmbridge.netlink..",
                    "org.xfrmbridge.pfkey..",
                    "org.xfrmbridge.daemon..",
                    "java.lang.foreign..",
                    "jnr..",
                    "sun..")
            .orShould()
            // URLs are where classes are loaded from.
            .dependOnClassesThat()
            .haveNameMatching("java\\.net\\.(?!UR).*");
}
