/** The figures of a bridge at a moment: what is counted for each SA and policy, and how busy it is. No keys. */
package org.xfrmbridge.daemon.figures;
