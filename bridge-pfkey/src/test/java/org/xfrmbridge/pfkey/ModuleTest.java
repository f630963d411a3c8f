package org.xfrmbridge.pfkey;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "org.xfrmbridge.pfkey", importOptions = DoNotIncludeTests.class)
class ModuleTest {
    @ArchTest
    static final ArchRule shouldKnowTheCoreAndNotTheOtherFrontEnd = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.xfrmbridge.netlink..", "org.xfrmbridge.daemon..");

    @ArchTest
    static final ArchRule shouldOpenNoSocketAndAskNoClock = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("java.nio.channels..", "java.net..", "java.time..", "jnr..");
}
