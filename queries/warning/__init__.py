"""Early warning: unusual counts by place and kind of case. Places and things only, never persons."""
