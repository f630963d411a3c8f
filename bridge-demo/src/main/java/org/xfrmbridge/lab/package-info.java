/** Hosts in network namespaces, wires between them, and programs on them, for the demo and the scenarios. */
package org.xfrmbridge.lab;
