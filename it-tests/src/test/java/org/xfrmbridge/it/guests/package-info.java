/** People without rights, and what they can do to a bridge. */
package org.xfrmbridge.it.guests;
