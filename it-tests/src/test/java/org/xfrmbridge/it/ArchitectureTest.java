package org.xfrmbridge.it;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "org.xfrmbridge.it")
class ArchitectureTest {
    @ArchTest
    static final ArchRule shouldKeepTheHarnessFreeOfTheProgram = noClasses()
            .that()
            .resideInAPackage("org.xfrmbridge.it.harness")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "org.xfrmbridge.daemon..",
                    "org.xfrmbridge.netlink..",
                    "org.xfrmbridge.pfkey..",
                    "org.xfrmbridge.km..",
                    "org.xfrmbridge.db..",
                    "org.xfrmbridge.datapath..");

    @ArchTest
    static final ArchRule shouldHaveNoCircles =
            slices().matching("org.xfrmbridge.it.(*)..").should().beFreeOfCycles();
}
