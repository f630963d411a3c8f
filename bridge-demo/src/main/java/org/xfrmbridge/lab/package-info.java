/**
 * What a trial is made of: hosts (network namespaces) and the wires between them, commands, programs that run beside
 * it, and bridges. The demo and the scenarios of it-tests stand on it. What fails is a
 * {@link org.xfrmbridge.lab.LabException}; one thread uses all of it, and interrupting that thread ends what it waits
 * for.
 */
package org.xfrmbridge.lab;
