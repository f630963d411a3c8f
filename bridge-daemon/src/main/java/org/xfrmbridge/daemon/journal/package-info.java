/**
 * What outlives a bridge, however it ends, beside its attachment: the policies, so that nothing leaves in the clear
 * when it is back.
 */
package org.xfrmbridge.daemon.journal;
