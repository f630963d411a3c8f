/** A bridge in the host's stack: hosts with several devices and all that a real one has. */
package org.xfrmbridge.it.instack;
