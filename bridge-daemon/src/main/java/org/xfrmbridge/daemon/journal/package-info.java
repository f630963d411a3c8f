/** Files from which the next bridge takes up policies, and tells of the States that are gone. */
package org.xfrmbridge.daemon.journal;
